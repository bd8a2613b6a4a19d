//! The bank's files, read plainly and without any of the project's code.

use std::collections::HashMap;
use std::path::Path;

/// What the bank says of a transaction.
pub struct Transaction {
    pub balance_after: String,
    pub date: String,
}

/// What the bank says.
pub struct Source {
    /// Closing balances by account number.
    pub closing: HashMap<String, String>,
    /// Transactions by id.
    pub transactions: HashMap<String, Transaction>,
}

impl Source {
    pub fn read(folder: &Path) -> Self {
        let lines = |file: &str| -> Vec<Vec<String>> {
            let text = std::fs::read_to_string(folder.join(file)).expect("the bank's file");
            let fields = |line: &str| line.split('\t').map(str::to_owned).collect();
            text.lines().skip(1).map(fields).collect()
        };
        Self {
            closing: lines("accounts.tsv")
                .into_iter()
                .map(|account| (account[0].clone(), account[5].clone()))
                .collect(),
            transactions: lines("transactions.tsv")
                .into_iter()
                .map(|line| {
                    let Transaction { balance_after, date } =
                        Transaction { balance_after: line[6].clone(), date: line[2].clone() };
                    (line[0].clone(), Transaction { balance_after, date })
                })
                .collect(),
        }
    }
}

/// Numbers that a printed seed gives again (`DAYBOOK_TEST_SEED`).
pub struct Random(u64);

impl Random {
    pub fn seeded() -> Self {
        let given = std::env::var("DAYBOOK_TEST_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| uuid::Uuid::now_v7().as_u128() as u64 | 1);
        eprintln!("DAYBOOK_TEST_SEED={seed}");
        Self(seed)
    }

    /// A number below `bound` (xorshift64*, Vigna 2016).
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % bound.max(1)
    }
}

/// One account with two good lines, and one of each thing that a line can have wrong.
pub fn write_small_bank_with_wrong_lines(folder: &Path) {
    let accounts = "\
account_id\tdistrict_id\tstatement_frequency\topened_on\towner_client_id\tclosing_balance\ttransactions
1\t1\tmonthly\t1993-02-01\t7\t1500.00\t2
1\t1\tmonthly\t1993-02-01\t7\t1500.00\t2
";
    let transactions = "\
trans_id\taccount_id\tdate\tdirection\toperation\tamount\tbalance_after\tsymbol\tcounter_bank\tcounter_account
10\t1\t1993-02-01\tcredit\tcash_deposit\t1000.00\t1000.00\t\t\t
11\t1\t1993-02-03\tcredit\ttransfer_in\t500.00\t1500.00\t\tAB\t77
12\t1\t1993-02-04\tcredit\tcash_deposit\t1.005\t1501.00\t\t\t
13\t1\t1993-02-30\tcredit\tcash_deposit\t1.00\t1501.00\t\t\t
14\t2\t1993-02-04\tcredit\tcash_deposit\t1.00\t1501.00\t\t\t
15\t1\t1993-02-04\tsideways\tcash_deposit\t1.00\t1501.00\t\t\t
16\t1\t1993-02-04\tdebit\tmagic\t1.00\t1501.00\t\t\t
11\t1\t1993-02-04\tcredit\tcash_deposit\t1.00\t1501.00\t\t\t
18\t1\t1993-02-04\tcredit
";
    std::fs::write(folder.join("accounts.tsv"), accounts).expect("a file");
    std::fs::write(folder.join("transactions.tsv"), transactions).expect("a file");
}
