//! Commands of billing accounts. Opening one rests on its organization being there.

use daybook_domain::organizations::billing_account::{
    BillingAccount, BillingAccountCommand, BillingAccountFacts,
};
use daybook_domain::organizations::organization::Organization;

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of a billing account.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &BillingAccountCommand,
) -> Result<Attempt, CommandError> {
    let Some(organization) = BillingAccount::default().reads(command) else {
        return super::plain::<BillingAccount>(work, command).await;
    };
    work.apart("/org_id", organization)?;
    let mut unit = work.hold::<BillingAccount>(&[organization]).await?;
    let standing = unit.load::<Organization>(organization).await?.standing();
    let facts = BillingAccountFacts { organization: standing };
    let decided = work.decide::<BillingAccount>(&unit, command, &facts);
    // No guard: the event refers to its organization, which append refuses once that is closed.
    work.conclude(unit, decided.map(Decided::<BillingAccount>::alone))
}
