//! The holds of a wallet, recomputed from the transactions that its statement names, and what the wallet keeps back for them
//! after each row.
//!
//! Only a wallet that has or had holds is looked at. What is written while it is read does no harm: rows do not change, and
//! the item of a hold may be as the last row before the items were read left it, or as any later row did.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::sleep;
use wallet_domain::{
    Amount, Caller, Capture, Command, Entry, Hold, HoldStatus, Kind, MAX_CAPTURES, SignedDuration, Timestamp,
    Transaction, TransactionId, WalletId,
};
use wallet_dynamodb::Fault;
use wallet_dynamodb::scan::{Key, Part, Scanned};

use crate::finding::{Check, Finding, decimal};
use crate::known::Known;
use crate::matching::twice_pausing;
use crate::reader::Reader;

/// A hold that is still active so long after its end is a finding: a sweep releases it within minutes.
const OVERDUE: SignedDuration = SignedDuration::from_hours(1);

/// The holds of `wallet` against its statement.
pub(crate) async fn check(reader: &Reader, wallet: WalletId, now: Timestamp) -> Result<Vec<Finding>, Fault> {
    twice_pausing(|pause| look(reader, wallet, now, pause)).await
}

/// With a `pause`, what one commit wrote is seen whole: its items after its wallet, its row after its items, and its
/// transaction after its row.
async fn look(reader: &Reader, wallet: WalletId, now: Timestamp, pause: Duration) -> Result<Vec<Finding>, Fault> {
    let before = reader.look_up(&[Key::Wallet(wallet)]).await?.pop();
    sleep(pause).await;
    let mut book = Book::default();
    let mut pages = reader.pages(Part::Holds, wallet);
    while let Some(items) = pages.next().await? {
        for item in items {
            if let Scanned::Hold(hold) = item {
                book.items.insert(hold.id, *hold);
            }
        }
    }
    match before {
        Some(Scanned::Wallet(before)) => book.read_at = before.version,
        None => {
            let missing =
                |id| Finding::transaction(id, Check::Holds, format!("{wallet}, whose money it keeps back, is missing"));
            return Ok(book.items.into_keys().map(missing).collect());
        }
        // One that cannot be read is a finding already.
        Some(_) => return Ok(vec![]),
    }
    sleep(pause).await;
    let mut pages = reader.pages(Part::History, wallet);
    while let Some(items) = pages.next().await? {
        let rows: Vec<Entry> = items.into_iter().flat_map(Scanned::into_rows).collect();
        if rows.last().is_some_and(|row| row.version > book.read_at) {
            sleep(pause).await;
        }
        let mut known = Known::default();
        let named = rows.iter().filter(|row| is_of_holds(row)).map(|row| Key::Transaction(row.transaction));
        known.read(reader, named).await?;
        for row in &rows {
            book.row(row, known.transaction(row.transaction));
        }
    }
    Ok(book.closed(wallet, now))
}

/// Whether the row shows that its wallet has, or had, holds.
pub(crate) fn has_holds(row: &Entry) -> bool {
    !row.held_after.is_zero() || is_of_holds(row)
}

/// Whether the row is of a wallet's own hold. A capture's credit is of another's.
fn is_of_holds(row: &Entry) -> bool {
    let credit = row.amount.minor_units() > 0;
    matches!(row.kind, Kind::HOLD | Kind::CAPTURE | Kind::VOID | Kind::EXPIRY) && !credit
}

#[derive(Default)]
struct Book {
    /// The wallet's version before the items were read.
    read_at: u64,
    items: BTreeMap<TransactionId, Hold>,
    holds: BTreeMap<TransactionId, Tracked>,
    /// What all of them keep back, in minor units.
    held: i128,
    findings: Vec<Finding>,
}

/// A hold under recomputation.
struct Tracked {
    hold: Hold,
    /// Whether its item is as it was left by the last row before the items were read, or by a later one.
    met: bool,
}

impl Book {
    /// The next row of the statement. Other checks report a transaction that is missing or damaged.
    fn row(&mut self, row: &Entry, transaction: Option<&Transaction>) {
        let transaction = transaction.filter(|made| made.wallet == row.wallet && !made.legs().is_empty());
        if let Some(made) = transaction.filter(|_| is_of_holds(row)) {
            for difference in self.apply(made, row.version) {
                self.findings.push(Finding {
                    transaction: Some(made.id),
                    ..Finding::wallet(row.wallet, row.version, Check::Holds, difference)
                });
            }
        }
        let stored = row.held_after.minor_units();
        if stored != self.held {
            let currency = row.held_after.currency();
            let (sum, off) = (decimal(self.held, currency), decimal(stored - self.held, currency));
            let difference = format!("held after is {}, its holds keep back {sum}: off by {off}", row.held_after);
            self.findings.push(Finding::wallet(row.wallet, row.version, Check::Holds, difference));
            // Reported once.
            self.held = stored;
        }
    }

    /// What `made` does to holds, and what is wrong about it.
    fn apply(&mut self, made: &Transaction, version: u64) -> Vec<String> {
        if made.kind == Kind::HOLD {
            let Some(hold) = Hold::made_by(made) else { return vec!["it pins no terms of a hold".to_owned()] };
            return self.left(hold, version);
        }
        if made.kind == Kind::EXPIRY {
            let mut differences = vec![];
            for release in &made.released {
                let Some(before) = self.holds.get(&release.hold).map(|tracked| tracked.hold.clone()) else {
                    differences.push(format!("it releases {}, which is no hold of this wallet", release.hold));
                    continue;
                };
                if before.held() != Ok(release.amount) || !before.is_overdue(made.created_at) {
                    let status = before.status.as_str();
                    differences.push(format!(
                        "it releases {} of {}, which was {status} with {} left until {:.3}",
                        release.amount,
                        before.id,
                        before.remaining(),
                        before.terms.expires_at
                    ));
                }
                differences.extend(self.left(Hold { status: HoldStatus::Expired, ..before }, version));
            }
            return differences;
        }
        let parent = made.parent.and_then(|parent| self.holds.get(&parent)).map(|tracked| tracked.hold.clone());
        let Some(before) = parent else { return vec!["its hold is none of this wallet".to_owned()] };
        if before.status != HoldStatus::Active {
            return vec![format!("its hold {} was {} before", before.id, before.status.as_str())];
        }
        let mut differences = vec![];
        if made.destination != before.destination {
            differences.push(format!("it goes elsewhere than its hold {}", before.id));
        }
        if made.kind == Kind::VOID {
            if made.amount != before.remaining() {
                differences.push(format!("it releases {}, its hold had {} left", made.amount, before.remaining()));
            }
            differences.extend(self.left(Hold { status: HoldStatus::Voided, ..before }, version));
            return differences;
        }
        let remaining = before.remaining();
        let Ok(captured) = before.captured.plus(made.amount) else {
            return vec![format!("it captures {}, its hold had {remaining} left", made.amount)];
        };
        if remaining.is_less_than(made.amount) != Ok(false) {
            differences.push(format!("it captures {}, its hold had {remaining} left", made.amount));
        }
        let captures = before.captures + 1;
        let ends = is_final(made, &before) || captured == before.amount || captures >= MAX_CAPTURES;
        let status = if ends { HoldStatus::Captured } else { HoldStatus::Active };
        let after = Hold { status, captured, captures, ..before.clone() };
        // Reckoned as if the hold were active still: what it keeps back less, beyond what is captured, is the fee.
        let cost = |hold: &Hold| Hold { status: HoldStatus::Active, ..hold.clone() }.held();
        let expected = cost(&before).and_then(|left| left.minus(cost(&after)?)?.minus(made.amount));
        if expected != Ok(made.fee) {
            differences.push(format!("its fee is {}, by the terms of {} it is another", made.fee, before.id));
        }
        differences.extend(self.left(after, version));
        differences
    }

    /// Notes the hold as the row at `version` left it.
    fn left(&mut self, hold: Hold, version: u64) -> Vec<String> {
        let held = |hold: &Hold| hold.held().map(wallet_domain::Money::minor_units);
        let before = self.holds.get(&hold.id).map_or(Ok(0), |tracked| held(&tracked.hold));
        let (Ok(before), Ok(after)) = (before, held(&hold)) else {
            return vec![format!("what {} keeps back cannot be reckoned", hold.id)];
        };
        self.held += after - before;
        let is_its_item = self.items.get(&hold.id) == Some(&hold);
        let was_met = version > self.read_at && self.holds.get(&hold.id).is_some_and(|tracked| tracked.met);
        let absent_yet = version > self.read_at && !self.items.contains_key(&hold.id);
        self.holds.insert(hold.id, Tracked { hold, met: is_its_item || was_met || absent_yet });
        vec![]
    }

    fn closed(mut self, wallet: WalletId, now: Timestamp) -> Vec<Finding> {
        let late = now.saturating_sub(OVERDUE).unwrap_or(Timestamp::MIN);
        for (id, Tracked { hold, met }) in &self.holds {
            let difference = match self.items.get(id) {
                _ if *met => None,
                None => Some("its item is missing".to_owned()),
                Some(item) => Some(format!("its item says {}, its transactions make it {}", said(item), said(hold))),
            };
            let found =
                |check, difference| Finding { wallet: Some(wallet), ..Finding::transaction(*id, check, difference) };
            self.findings.extend(difference.map(|difference| found(Check::Holds, difference)));
            if hold.is_overdue(late) {
                let difference = format!("its time was over at {:.3}, and it is active still", hold.terms.expires_at);
                self.findings.push(found(Check::Overdue, difference));
            }
        }
        for id in self.items.keys().filter(|id| !self.holds.contains_key(id)) {
            let difference = "no row of the wallet's statement made this hold";
            self.findings.push(Finding { wallet: Some(wallet), ..Finding::transaction(*id, Check::Holds, difference) });
        }
        self.findings
    }
}

/// Whether the rest was to be released: the record says so in its fingerprint only, and all else that the fingerprint covers
/// is on record.
fn is_final(made: &Transaction, hold: &Hold) -> bool {
    let asked = |amount| {
        let command = Command::Capture(Capture {
            caller: Caller { subject: made.caller.clone(), admin: false },
            key: "audit".parse().expect("printable"),
            hold: Box::new(Transaction { id: hold.id, ..made.clone() }),
            amount,
            is_final: true,
        });
        command.fingerprint() == made.fingerprint
    };
    asked(None) || asked(Amount::new(made.amount).ok())
}

fn said(hold: &Hold) -> String {
    format!("{} with {} of {} captured by {}", hold.status.as_str(), hold.captured, hold.amount, hold.captures)
}
