//! The holds of one wallet: what each keeps back is held once, and what became of it is on record.

use std::collections::BTreeMap;

use wallet_domain::{Entry, Hold, HoldStatus, Kind, Money, Transaction, TransactionId, Wallet, WalletId};
use wallet_dynamodb::{Ledger, Usage};

const SECONDS_PER_DAY: i64 = 86_400;

/// By the transaction that made each.
pub(super) struct Holds(BTreeMap<TransactionId, Hold>);

impl Holds {
    /// Those of `wallet`; none unless it `has` some.
    pub(super) async fn of(ledger: &Ledger, wallet: WalletId, has: bool) -> Result<Holds, String> {
        let (mut holds, mut after, mut more) = (BTreeMap::new(), None, has);
        while more {
            let page = ledger.holds(wallet, after, 100, &mut Usage::default()).await;
            let page = page.map_err(|error| error.to_string())?;
            holds.extend(page.items.into_iter().map(|hold| (hold.id, hold)));
            after = page.next;
            more = after.is_some();
        }
        Ok(Holds(holds))
    }

    /// Whether each is what its transactions have made of it, and all of them keep back what the wallet says.
    pub(super) fn check(
        &self,
        wallet: &Wallet,
        entries: &[Entry],
        transactions: &BTreeMap<TransactionId, Transaction>,
    ) -> Result<(), String> {
        let mut held = 0;
        for (id, hold) in &self.0 {
            let made = transactions.get(id).and_then(Hold::made_by);
            let made = made.ok_or_else(|| format!("hold {id}: nothing on record made it"))?;
            let (mut captured, mut captures, mut ends) = (Money::zero(hold.amount.currency()), 0, vec![]);
            let its = |made: &&Transaction| made.parent == Some(*id) && !made.legs().is_empty();
            for its in transactions.values().filter(its) {
                match its.kind {
                    Kind::CAPTURE => {
                        captured = captured.plus(its.amount).map_err(|error| error.to_string())?;
                        captures += 1;
                    }
                    Kind::VOID => ends.push(HoldStatus::Voided),
                    other => return Err(format!("hold {id}: {} by {}", other.as_str(), its.id)),
                }
            }
            let releases = transactions.values().flat_map(|made| &made.released).filter(|release| release.hold == *id);
            ends.extend(releases.map(|_| HoldStatus::Expired));
            let ends =
                if hold.status == HoldStatus::Captured { [ends, vec![HoldStatus::Captured]].concat() } else { ends };
            let status = if ends.is_empty() { HoldStatus::Active } else { ends[0] };
            if ends.len() > 1 || (status == HoldStatus::Captured && captures == 0) {
                return Err(format!("hold {id} has ended as {ends:?}, after {captures} captures"));
            }
            let expected = Hold { status, captured, captures, ..made };
            if *hold != expected {
                return Err(format!("{hold:?} should be {expected:?}"));
            }
            held += hold.held().map_err(|error| error.to_string())?.minor_units();
        }
        let newest = entries.last().map(|entry| entry.held_after);
        if wallet.held.minor_units() != held || newest != Some(wallet.held) {
            return Err(format!(
                "{}: {} held, its holds keep back {held}, its entries say {newest:?}",
                wallet.id, wallet.held
            ));
        }
        let authorised = entries.iter().filter(|entry| entry.kind == Kind::HOLD).count();
        if authorised != self.0.len() {
            return Err(format!("{}: {authorised} authorisations, {} holds", wallet.id, self.0.len()));
        }
        Ok(())
    }

    /// What `entry` gives back of what was `held` before it, and the day on which each part was counted.
    pub(super) fn released(
        &self,
        entry: &Entry,
        transaction: &Transaction,
        held: Money,
    ) -> Result<Vec<(Money, i64)>, String> {
        let day = |id: &TransactionId| {
            let hold = self.0.get(id).ok_or_else(|| format!("{}: of no hold", transaction.id))?;
            Ok::<_, String>(hold.created_at.as_second().div_euclid(SECONDS_PER_DAY))
        };
        let freed = held.minus(entry.held_after).map_err(|error| error.to_string())?;
        match (entry.kind, &transaction.parent) {
            (Kind::EXPIRY, _) => {
                transaction.released.iter().map(|release| Ok((release.amount, day(&release.hold)?))).collect()
            }
            (Kind::CAPTURE, Some(hold)) if entry.amount.is_negative() => {
                let unspent = freed.plus(entry.amount).map_err(|error| error.to_string())?;
                Ok(vec![(unspent, day(hold)?)])
            }
            (Kind::VOID, Some(hold)) => Ok(vec![(freed, day(hold)?)]),
            _ if freed.is_zero() => Ok(vec![]),
            _ => Err(format!("{}: it releases {freed}", transaction.id)),
        }
    }
}
