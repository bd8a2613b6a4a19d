//! What holds whatever happens: random commands on a few accounts.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::testing::through_json;

const ACCOUNTS: usize = 4;

/// What is asked of which account; amounts small enough that all of it happens.
#[derive(Debug, Clone)]
enum Step {
    Money(usize, &'static str, i64),
    Interest(usize, Direction, i64),
    Pay(usize, i64),
    End(usize, &'static str, usize),
    Transfer(usize, usize, i64),
    Limit(usize, i64),
    Switch(usize, &'static str),
}

fn step() -> impl Strategy<Value = Step> {
    let (one, amount) = (0..ACCOUNTS, 1..20_000_i64);
    prop_oneof![
        3 => (one.clone(), select(&["deposit", "withdraw", "charge_fee"][..]), amount.clone())
            .prop_map(|(at, name, amount)| Step::Money(at, name, amount)),
        1 => (one.clone(), select(Direction::ALL), amount.clone())
            .prop_map(|(at, way, amount)| Step::Interest(at, way, amount)),
        2 => (one.clone(), amount.clone()).prop_map(|(at, amount)| Step::Pay(at, amount)),
        3 => (
            one.clone(),
            select(&["complete_transaction", "fail_transaction", "cancel_transaction"][..]),
            0..8_usize,
        )
            .prop_map(|(at, name, which)| Step::End(at, name, which)),
        6 => (one.clone(), one.clone(), amount.clone())
            .prop_map(|(from, to, amount)| Step::Transfer(from, to, amount)),
        1 => (one.clone(), amount).prop_map(|(at, limit)| Step::Limit(at, limit)),
        1 => (one, select(&["freeze", "unfreeze", "unfreeze", "close"][..]))
            .prop_map(|(at, name)| Step::Switch(at, name)),
    ]
}

fn units(hundredths: i64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Four accounts, each with its events; the state is kept while deciding.
struct Bank {
    events: Vec<Vec<AccountEvent>>,
    states: Vec<Account>,
}

impl Bank {
    fn new() -> Self {
        let mut bank =
            Self { events: vec![vec![]; ACCOUNTS], states: vec![Account::default(); ACCOUNTS] };
        for at in 0..ACCOUNTS {
            bank.happened(at, &opened(["0.00", "50.00"][at % 2]));
        }
        bank
    }

    fn happened(&mut self, at: usize, event: &AccountEvent) {
        self.states[at].apply(event);
        self.events[at].push(event.clone());
    }

    fn book(&self, at: usize) -> &Book {
        self.states[at].book().expect("open since the beginning")
    }

    fn total(&self) -> i64 {
        (0..ACCOUNTS).map(|at| self.book(at).balance.hundredths()).sum()
    }

    /// Does the step, if the rules allow it; gives the events with their accounts.
    fn take(&mut self, step: &Step, context: &Context) -> Vec<(usize, AccountEvent)> {
        let (at, asked) = match step {
            Step::Transfer(from, to, amount) => return self.transfer(*from, *to, *amount, context),
            Step::Money(at, name, amount) => {
                (*at, command(name, json!({"amount": units(*amount)})))
            }
            Step::Interest(at, way, amount) => {
                (*at, command("post_interest", json!({"amount": units(*amount), "direction": way})))
            }
            Step::Pay(at, amount) => (*at, command("pay", json!({"amount": units(*amount)}))),
            Step::End(at, name, which) => {
                let pending = self.book(*at).pending.keys().nth(*which).copied();
                (*at, command(name, json!({"transaction_id": pending.unwrap_or(id(404))})))
            }
            Step::Limit(at, limit) => {
                (*at, command("set_overdraft_limit", json!({"overdraft_limit": units(*limit)})))
            }
            Step::Switch(at, name) => (*at, command(name, json!({}))),
        };
        let decided = self.states[at].decide(&asked, &AccountFacts::default(), context);
        let events: Vec<_> =
            decided.unwrap_or_default().into_iter().map(|event| (at, event)).collect();
        for (at, event) in &events {
            self.happened(*at, event);
        }
        events
    }

    fn transfer(
        &mut self,
        from: usize,
        to: usize,
        amount: i64,
        context: &Context,
    ) -> Vec<(usize, AccountEvent)> {
        let account_id = |at: usize| id(at as u128);
        let fields = json!({"to_account_id": account_id(to), "amount": units(amount)});
        let asked = serde_json::from_value(fields).expect("a transfer");
        let (source, target) = (&self.states[from], &self.states[to]);
        let Ok(done) = transfer(source, account_id(from), target, &asked, context) else {
            return vec![];
        };
        self.happened(from, &done.source);
        self.happened(to, &done.target);
        vec![(from, done.source), (to, done.target)]
    }
}

/// What an event adds to the account's balance.
fn moved(event: &AccountEvent) -> i64 {
    let signed = |direction, amount: Amount| match direction {
        Direction::Credit => amount.hundredths(),
        Direction::Debit => -amount.hundredths(),
    };
    match (event.entry(), event.settlement()) {
        (Some(entry), _) if entry.status == TransactionStatus::Completed => {
            signed(entry.direction, entry.amount)
        }
        (_, Some(end)) if end.status == TransactionStatus::Completed => {
            signed(end.direction, end.amount)
        }
        _ => 0,
    }
}

fn may_pass_limit(event: &AccountEvent) -> bool {
    matches!(event, AccountEvent::FeeCharged(_) | AccountEvent::InterestPosted(_))
}

proptest! {
    /// After every step: transfers move money and make none, a balance is what
    /// the completed transactions add up to and what the event says, and only
    /// fees and interest take more than there is.
    #[test]
    fn money_is_conserved_at_every_step(steps in vec(step(), 1..120)) {
        let mut bank = Bank::new();
        for (n, step) in steps.iter().enumerate() {
            let seed = id((1 << 80) + ((n as u128) << 16));
            let (total, before) = (bank.total(), bank.states.clone());
            let events = bank.take(step, &Context { seed, ..teller() });
            let added: i64 = events.iter().map(|(_, event)| moved(event)).sum();
            prop_assert_eq!(bank.total(), total + added);
            if matches!(step, Step::Transfer(..)) {
                prop_assert_eq!(added, 0);
            }
            for (at, event) in &events {
                let book = before[*at].book().expect("open");
                let now = bank.book(*at);
                prop_assert_eq!(now.balance.hundredths(), book.balance.hundredths() + moved(event));
                let poorer = now.available() < book.available();
                prop_assert!(!poorer || now.available() >= 0 || may_pass_limit(event), "{:?}", event);
                prop_assert!(book.standing == Standing::Open || moved(event) == 0);
            }
        }
        for at in 0..ACCOUNTS {
            let sum: i64 = bank.events[at].iter().map(moved).sum();
            prop_assert_eq!(sum, bank.book(at).balance.hundredths());
        }
    }

    /// The state folded from the events as they come back out of the log is the
    /// one kept while deciding, and so is one that began from a snapshot.
    #[test]
    fn folded_state_equals_kept_state(steps in vec(step(), 1..120), cut in 0..60_usize) {
        let mut bank = Bank::new();
        for (n, step) in steps.iter().enumerate() {
            let seed = id((1 << 80) + ((n as u128) << 16));
            bank.take(step, &Context { seed, ..teller() });
        }
        for at in 0..ACCOUNTS {
            let stored: Vec<_> = bank.events[at].iter().map(through_json).collect();
            prop_assert_eq!(&stored, &bank.events[at]);
            let folded: Account = crate::aggregate::fold(&stored);
            prop_assert_eq!(&folded, &bank.states[at]);

            let cut = cut.min(stored.len());
            let early: Account = crate::aggregate::fold(&stored[..cut]);
            let snapshot = serde_json::to_string(&early).expect("JSON");
            let mut resumed: Account = serde_json::from_str(&snapshot).expect("a state");
            for event in &stored[cut..] {
                resumed.apply(event);
            }
            prop_assert_eq!(&resumed, &bank.states[at]);
        }
    }
}
