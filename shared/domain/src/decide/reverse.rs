//! Reversing a transaction: whole, once, with the rebate of a reversed deposit taken back or barred.
//!
//! Every leg of the original is mirrored. Limits and rates do not count reversals: they bound what owners ask for, and a
//! reversal is an administrator's.

use jiff::Timestamp;

use crate::command::{Command, PayRebate, Reverse};
use crate::decide::movement::{accepts, credit, posted, spendable};
use crate::decide::rebate::barred;
use crate::decide::{Guard, Plan, Posting, Snapshots, posting};
use crate::money::Money;
use crate::rebated::Month;
use crate::refusal::Refusal;
use crate::transaction::{Account, Kind, Leg, Outcome, Transaction};
use crate::wallet::{Status, Wallet};

pub(super) fn reverse(
    snapshots: &Snapshots,
    reverse: &Reverse,
    command: &Command,
    now: Timestamp,
) -> Result<Plan, Refusal> {
    if !reverse.caller.admin {
        return Err(Refusal::MissingScope { scope: "wallets:admin" });
    }
    let original = &reverse.original;
    let reversible = matches!(original.kind, Kind::Deposit | Kind::Withdrawal | Kind::Transfer);
    if !reversible || original.legs().is_empty() {
        return Err(Refusal::NotReversible { transaction: original.id });
    }
    if snapshots.reversed.contains(&original.id) {
        return Err(Refusal::AlreadyReversed { transaction: original.id });
    }
    let (mut bars, mut clawback) = (vec![], None);
    if let Some(rebate) = reverse.rebate() {
        match snapshots.transactions.get(&rebate.transaction()) {
            // Not paid yet: the same transaction sees to it that it never will be.
            None => {
                let owner = snapshots.wallet(rebate.wallet)?.owner.clone();
                bars.push(barred(original, &rebate, owner, now));
            }
            Some(paid) if !paid.legs().is_empty() => clawback = Some(paid.amount),
            Some(_failed) => {}
        }
    }

    let mut transaction = record(reverse, command, posted(vec![]), now);
    let kept_fee = original.fee.minor_units() > 0 && !reverse.return_fee;
    let (mut legs, mut postings) = (vec![], vec![]);
    for leg in original.legs() {
        match leg {
            Leg::System { account: Account::Fees, .. } if kept_fee => {}
            Leg::System { account, amount } => legs.push(Leg::System { account: *account, amount: amount.negated() }),
            Leg::Wallet { wallet, amount, .. } => {
                let back = if kept_fee && amount.is_negative() { amount.plus(original.fee) } else { Ok(*amount) };
                let back = back.expect("a leg holds at least the fee").negated();
                let wallet = snapshots.wallet(*wallet)?;
                let mut posting = undo(wallet, back, clawback, original, &transaction, reverse.allow_overdraft)?;
                let counted = original.rule.as_ref().filter(|rule| rule.monthly_cap.is_some());
                if let (Some(amount), Some(rule)) = (clawback, counted) {
                    let month = Month::of(original.created_at);
                    posting.after.rebated = posting.after.rebated.minus(month, &rule.id, amount);
                }
                legs.push(posting.leg());
                postings.push(posting);
            }
        }
    }
    if let Some(amount) = clawback {
        legs.push(Leg::System { account: Account::Rebates, amount });
    }
    transaction.outcome = posted(legs);
    Ok(Plan { transaction, postings, bars, reverses: Some(original.id) })
}

/// Gives `back` to the wallet, or takes it with the rebate on top.
fn undo(
    wallet: &Wallet,
    back: Money,
    clawback: Option<Money>,
    original: &Transaction,
    transaction: &Transaction,
    allow_overdraft: bool,
) -> Result<Posting, Refusal> {
    accepts(wallet, back)?;
    let other = original.legs().iter().find_map(|leg| match leg {
        Leg::Wallet { wallet: other, .. } if *other != wallet.id => Some(Account::Wallet(*other)),
        _ => None,
    });
    let other = other.unwrap_or(Account::External);
    if !back.is_negative() {
        return credit(wallet, back, other, transaction, None);
    }
    if wallet.status == Status::Frozen {
        return Err(Refusal::WalletFrozen { wallet: wallet.id });
    }
    let same = "a rebate is in its deposit's currency";
    let outflow = back.negated();
    let outflow = clawback.map_or(Ok(outflow), |rebate| outflow.plus(rebate)).expect(same);
    let covered = wallet.floor.plus(outflow).map(|lowest| (lowest, !wallet.balance.is_less_than(lowest).expect(same)));
    match (wallet.balance.minus(outflow), covered) {
        (Ok(balance), Ok((lowest, true))) => {
            Ok(posting(wallet, transaction, Some(other), Guard::AtLeast(lowest), |after| after.balance = balance))
        }
        // The version pins the balance; there is no floor to guard when the administrator has lifted it.
        (Ok(balance), _) if allow_overdraft => {
            Ok(posting(wallet, transaction, Some(other), Guard::None, |after| after.balance = balance))
        }
        _ => {
            let available = Some(spendable(wallet));
            Err(Refusal::InsufficientFunds { wallet: wallet.id, available, requested: outflow })
        }
    }
}

/// The record of a reversal with the outcome given.
pub(super) fn record(reverse: &Reverse, command: &Command, outcome: Outcome, now: Timestamp) -> Transaction {
    let Reverse { original, .. } = reverse;
    Transaction {
        id: command.transaction(),
        kind: Kind::Reversal,
        wallet: original.wallet,
        destination: None,
        amount: original.amount,
        fee: Money::zero(original.amount.currency()),
        outcome,
        principal: reverse.caller.subject.clone(),
        reference: reverse.reference.clone(),
        metadata: reverse.metadata.clone(),
        parent: Some(original.id),
        rule: None,
        fingerprint: command.fingerprint(),
        created_at: now,
    }
}

impl Reverse {
    /// The payment of the rebate that the original has earned, if it has.
    #[must_use]
    pub(crate) fn rebate(&self) -> Option<PayRebate> {
        let rule = self.original.rule.as_ref()?.id.clone();
        Some(PayRebate { deposit: self.original.id, wallet: self.original.wallet, rule })
    }
}
