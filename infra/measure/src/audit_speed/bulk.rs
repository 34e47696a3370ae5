//! A ledger of any size, written straight into a data file: for measuring what reads it.
//!
//! Every step is one of [`decide`]'s, so hashes, versions, balances, rebates and reversals are as the functions would
//! have left them; only the writing is the embedded database's own import, in bulk and without its stream.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use aws_sdk_dynamodb::types::AttributeValue;
use dynoxide::ImportOptions;
use dynoxide::types::AttributeValue as Stored;
use wallet_domain::{
    Command, Deposit, Metadata, NoPlan, PayRebate, Reverse, Snapshots, Timestamp, Transaction, Transfer, Wallet,
    WalletId, Withdraw, decide,
};
use wallet_dynamodb::{Item, items_of};
use wallet_lambda::Settings;
use wallet_stack::template::Template;
use wallet_stack::{Stores, TABLE};

use crate::requests::{caller, open, order};

/// Items of one import, which are all in memory at once.
const ITEMS_PER_IMPORT: usize = 20_000;
/// A wallet has about so many entries.
const ENTRIES_PER_WALLET: u64 = 100;
/// The amount of a transfer. No wallet is too poor for it: the deposits are many times larger.
const MOVED: &str = "0.10";
const DEPOSITED: &str = "1000.00";

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filled {
    /// Wallets.
    pub wallets: u64,
    /// Entries of all wallets.
    pub entries: u64,
    /// Transactions, failed ones included.
    pub transactions: u64,
    /// All items: those above, and the marks of reversals.
    pub items: u64,
}

/// Makes the data file `path` and writes at least `entries` entries into it: for each wallet its opening and a deposit,
/// then transfers with a fee, deposits with their rebates, withdrawals, refused ones, and reversals.
///
/// # Errors
/// When the file cannot be made or written.
pub async fn fill(path: &Path, entries: u64, progress: impl Fn(u64)) -> Result<Filled> {
    written(path, |ledger| {
        let wallets = (entries / ENTRIES_PER_WALLET).max(2);
        for number in 0..wallets {
            ledger.open(&format!("owner-{number}"), number)?;
            progress(ledger.filled.entries);
        }
        let mut number = 0;
        while ledger.filled.entries < entries {
            ledger.step(number)?;
            number += 1;
            progress(ledger.filled.entries);
        }
        Ok(())
    })
    .await
}

/// Makes the data file `path`: `wallets` wallets of one owner, each with a deposit, of which the first has a statement of at least `rows` rows.
///
/// # Errors
/// When the file cannot be made or written.
pub async fn fill_one_owner(path: &Path, owner: &str, wallets: u64, rows: u64) -> Result<Filled> {
    written(path, |ledger| {
        for number in 0..wallets {
            ledger.open(owner, number)?;
        }
        let first = *ledger.wallets.first().context("at least one wallet")?;
        let others = ledger.filled.entries;
        let mut number = 0;
        while ledger.filled.entries < others + rows {
            ledger.deposit(&number.to_string(), first)?;
            number += 1;
        }
        Ok(())
    })
    .await
}

/// Makes the data file `path` of what `work` writes.
async fn written(path: &Path, work: impl FnOnce(&mut Ledger) -> Result<()>) -> Result<Filled> {
    let mut template = Template::embedded()?;
    let stores = Stores::start(&template, Some(path), 0).await?;
    let database = stores.database();
    database.enable_bulk_loading().map_err(|error| anyhow!("{error}"))?;
    template.environment.insert("TRANSFER_FEE".to_owned(), r#"{"basis_points":0,"minimum":{"EUR":"0.01"}}"#.to_owned());
    let settings = Settings::from_vars(|name| template.environment.get(name).cloned());
    let mut ledger = Ledger::new(database, settings.context("the functions' settings")?);
    work(&mut ledger)?;
    let filled = ledger.finish()?;
    stores.stop().await;
    Ok(filled)
}

/// The ledger as far as it has come.
struct Ledger {
    database: dynoxide::Database,
    settings: Settings,
    wallets: Vec<WalletId>,
    snapshots: BTreeMap<WalletId, Wallet>,
    /// The newest item of each wallet, written at the end.
    items: HashMap<String, Item>,
    waiting: Vec<dynoxide::types::Item>,
    filled: Filled,
    random: fastrand::Rng,
}

impl Ledger {
    fn new(database: dynoxide::Database, settings: Settings) -> Ledger {
        Ledger {
            database,
            settings,
            wallets: vec![],
            snapshots: BTreeMap::new(),
            items: HashMap::new(),
            waiting: vec![],
            filled: Filled::default(),
            random: fastrand::Rng::with_seed(1),
        }
    }

    fn open(&mut self, owner: &str, number: u64) -> Result<()> {
        let open = open(owner, &format!("open-{number}"))?;
        self.wallets.push(open.wallet());
        self.run(&Command::Open(open), &[])?;
        self.deposit(&format!("first-{number}"), *self.wallets.last().expect("one was opened"))
    }

    /// One step. Of a hundred, 84 are transfers, two of them reversed, ten are deposits with their rebates, four withdrawals,
    /// two refused withdrawals.
    fn step(&mut self, number: u64) -> Result<()> {
        let count = self.wallets.len();
        let chosen = self.random.usize(..count);
        let wallet = self.wallets[chosen];
        let key = number.to_string();
        match number % 100 {
            0..10 => self.deposit(&key, wallet),
            10..14 => {
                let order = order("bank", &key, MOVED)?;
                self.run(&Command::Withdraw(Withdraw { order, wallet }), &[]).map(drop)
            }
            14..16 => {
                let order = order("bank", &key, "999999999.00")?;
                self.refuse(&Command::Withdraw(Withdraw { order, wallet }))
            }
            step => {
                let destination = self.wallets[(chosen + self.random.usize(1..count)) % count];
                let (order, fee) = (order("bank", &key, MOVED)?, self.settings.transfer_fee.clone());
                let transfer = Transfer { order, source: wallet, destination, fee };
                let made = self.run(&Command::Transfer(transfer), &[])?;
                if step < 18 { self.reverse(&key, made) } else { Ok(()) }
            }
        }
    }

    fn deposit(&mut self, key: &str, wallet: WalletId) -> Result<()> {
        let order = order("bank", key, DEPOSITED)?;
        let rules = self.settings.rebate_rules.clone();
        let made = self.run(&Command::Deposit(Deposit { order, wallet, rules }), &[])?;
        let Some(rule) = made.rule.clone() else { return Ok(()) };
        let pay = PayRebate { deposit: made.id, wallet, rule: rule.id };
        self.run(&Command::PayRebate(pay), &[made]).map(drop)
    }

    fn reverse(&mut self, key: &str, original: Transaction) -> Result<()> {
        let reverse = Reverse {
            caller: caller("bank")?,
            key: format!("reverse {key}").parse()?,
            original: Box::new(original),
            allow_overdraft: true,
            return_fee: true,
            reference: None,
            metadata: Metadata::default(),
        };
        self.run(&Command::Reverse(reverse), &[]).map(drop)
    }

    /// Two milliseconds after the last one.
    fn now(&self) -> Timestamp {
        let start_ms = 1_767_225_600_000_i64;
        let passed_ms = i64::try_from(self.filled.transactions * 2).expect("the table is not that large");
        Timestamp::from_millisecond(start_ms + passed_ms).expect("a date of this century")
    }

    fn snapshots(&self, command: &Command, transactions: &[Transaction]) -> Snapshots {
        let known = command.reads().wallets.into_iter().filter_map(|id| Some((id, self.snapshots.get(&id)?.clone())));
        let transactions = transactions.iter().map(|transaction| (transaction.id, transaction.clone()));
        Snapshots { wallets: known.collect(), transactions: transactions.collect(), ..Snapshots::default() }
    }

    fn run(&mut self, command: &Command, transactions: &[Transaction]) -> Result<Transaction> {
        let snapshots = self.snapshots(command, transactions);
        let plan = decide(&snapshots, command, self.now()).context("nothing of this is refused")?;
        for posting in plan.postings() {
            self.filled.wallets += u64::from(posting.before.is_none());
            self.filled.entries += 1;
            self.snapshots.insert(posting.after.id, posting.after.clone());
        }
        self.filled.transactions += 1 + plan.bars().len() as u64;
        for item in items_of(&plan) {
            self.write(item)?;
        }
        Ok(plan.transaction().clone())
    }

    fn refuse(&mut self, command: &Command) -> Result<()> {
        let snapshots = self.snapshots(command, &[]);
        let Err(NoPlan::Refused(refusal)) = decide(&snapshots, command, self.now()) else {
            bail!("no wallet holds so much")
        };
        let plan = command.attempt(&snapshots, &refusal, self.now()).context("the refusal is one to be recorded")?;
        self.filled.transactions += 1;
        items_of(&plan).into_iter().try_for_each(|item| self.write(item))
    }

    fn write(&mut self, item: Item) -> Result<()> {
        if item["SK"] == AttributeValue::S("WALLET".to_owned()) {
            let AttributeValue::S(key) = &item["PK"] else { bail!("keys are texts") };
            self.items.insert(key.clone(), item);
            return Ok(());
        }
        self.waiting.push(stored(item)?);
        if self.waiting.len() < ITEMS_PER_IMPORT { Ok(()) } else { self.import() }
    }

    fn import(&mut self) -> Result<()> {
        self.filled.items += self.waiting.len() as u64;
        let items = std::mem::take(&mut self.waiting);
        let imported = self.database.import_items(TABLE, items, ImportOptions::default());
        imported.map(drop).map_err(|error| anyhow!("the import: {error}"))
    }

    fn finish(mut self) -> Result<Filled> {
        for item in std::mem::take(&mut self.items).into_values() {
            self.waiting.push(stored(item)?);
        }
        self.import()?;
        self.database.disable_bulk_loading().map_err(|error| anyhow!("{error}"))?;
        Ok(self.filled)
    }
}

/// The SDK's item as the embedded database takes it.
fn stored(item: Item) -> Result<dynoxide::types::Item> {
    item.into_iter().map(|(name, value)| Ok((name, value_of(value)?))).collect()
}

fn value_of(value: AttributeValue) -> Result<Stored> {
    Ok(match value {
        AttributeValue::S(text) => Stored::S(text),
        AttributeValue::N(number) => Stored::N(number),
        AttributeValue::B(bytes) => Stored::B(bytes.into_inner()),
        AttributeValue::L(list) => Stored::L(list.into_iter().map(value_of).collect::<Result<_>>()?),
        AttributeValue::M(map) => Stored::M(stored(map)?),
        other => bail!("the ledger writes no {other:?}"),
    })
}

#[cfg(test)]
mod tests {
    use wallet_audit::Audit;

    use super::*;

    #[tokio::test]
    async fn a_generated_ledger_adds_up_at_a_known_cost() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("ledger.db");
        let filled = fill(&path, 2_500, |_| {}).await.expect("the file is filled");
        let stores =
            Stores::start(&Template::embedded().expect("complete"), Some(&path), 0).await.expect("it is served");
        let ledger = wallet_audit::connect(Some(stores.dynamodb_url()), TABLE).await.expect("an endpoint");
        let report = Audit::new(ledger, 3).table().await.expect("the table answers");
        stores.stop().await;
        assert!(report.is_clean(), "{:#?}", report.findings);
        assert_eq!((report.wallets, report.entries), (filled.wallets, filled.entries));
        assert_eq!(report.transactions, filled.transactions);
        assert!((2_500..2_510).contains(&report.entries), "{}", report.entries);
        let sums = &report.sums["EUR"];
        assert!(sums.total() == 0 && sums.wallets == sums.balances, "{sums:?}");
        assert!(sums.fees > 0 && sums.rebates < 0, "fees are taken and rebates paid: {sums:?}");
        // A scan reads 4 KB, some six items, for a unit; a rebate's deposit and a reversal's relatives are a unit each.
        assert!(report.read_units < filled.items * 2 / 5, "{} units for {} items", report.read_units, filled.items);
    }
}
