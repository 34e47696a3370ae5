//! Reversing a transaction: whole, once, with the rebate of a reversed deposit taken back or barred.
//!
//! Every leg of the original is mirrored. Limits and rates do not count reversals, and a reversal gives no day's outflow
//! back: limits bound what owners ask for, and a reversal is an administrator's.

use crate::caller::Caller;
use crate::clock::Moment;
use crate::hash::Hasher;
use crate::id::{TransactionId, WalletId};
use crate::mark::{Mark, MarkName};
use crate::money::{Money, MoneyError};
use crate::movement::{accepts, credit, lowest, posted, too_little};
use crate::plan::{Draft, Guard, NoPlan, Step};
use crate::rebated::Month;
use crate::refusal::Refusal;
use crate::shape::{Legs, Shape};
use crate::snapshots::{Reads, Snapshots};
use crate::text::{IdempotencyKey, Metadata, Reference};
use crate::transaction::{Account, Kind, Leg, Transaction};
use crate::verb::{Asked, Registered, Verb, record};
use crate::verbs::rebate::PayRebate;
use crate::wallet::Status;

/// Undoes a transaction, whole.
#[derive(Debug, Clone)]
pub struct Reverse {
    /// Who asks: an administrator.
    pub caller: Caller,
    /// Names this request for ever.
    pub key: IdempotencyKey,
    /// What to undo, as it is on record. Records never change, so it may have been read at any time.
    pub original: Box<Transaction>,
    /// Whether a wallet may be taken below its floor.
    pub allow_overdraft: bool,
    /// Whether the fee is given back: a setting of the deployment.
    pub return_fee: bool,
    /// The caller's own name for it.
    pub reference: Option<Reference>,
    /// The caller's labels.
    pub metadata: Metadata,
}

impl Kind {
    /// A movement is undone.
    pub const REVERSAL: Kind = Kind::new("reversal");
}

pub(crate) const SHAPE: Shape = Shape::of(Kind::REVERSAL, Legs::Mirrored);

impl MarkName {
    /// Beside a transaction that was reversed.
    pub const REVERSAL: MarkName = MarkName::new("REVERSAL");
}

impl Verb for Reverse {
    fn transaction(&self) -> TransactionId {
        TransactionId::requested_by(&self.caller.subject, &self.key)
    }

    fn wallet(&self) -> WalletId {
        self.original.wallet
    }

    fn parent(&self) -> Option<TransactionId> {
        Some(self.original.id)
    }

    fn reads(&self) -> Reads {
        Reads {
            wallets: self.original.legs().iter().filter_map(Leg::wallet).collect(),
            transactions: PayRebate::of(&self.original).iter().map(Verb::transaction).collect(),
            marks: vec![(self.original.id, MarkName::REVERSAL)],
            ..Reads::default()
        }
    }

    fn said(&self, hasher: Hasher) -> Hasher {
        hasher
            .texts(self.metadata.labels())
            .field(&self.original.id.to_string())
            .field(if self.allow_overdraft { "overdraft" } else { "covered" })
            .maybe(self.reference.as_ref())
    }

    fn asked(&self, _: &Snapshots) -> Option<Asked> {
        Some(Asked {
            caller: self.caller.subject.clone(),
            amount: self.original.amount,
            reference: self.reference.clone(),
            metadata: self.metadata.clone(),
        })
    }

    fn decide(&self, snapshots: &Snapshots, moment: Moment) -> Result<Draft, NoPlan> {
        if !self.caller.admin {
            return Err(Refusal::MissingScope { scope: "wallets:admin" }.into());
        }
        let original = &*self.original;
        if !self.is_reversible(original) {
            return Err(Refusal::NotReversible { transaction: original.id }.into());
        }
        if snapshots.marks.contains_key(&(original.id, MarkName::REVERSAL)) {
            return Err(Refusal::AlreadyReversed { transaction: original.id }.into());
        }
        let (mut bars, mut clawback) = (vec![], None);
        if let Some(rebate) = PayRebate::of(original) {
            match snapshots.transactions.get(&rebate.transaction()) {
                // Not paid yet: the reversal's transaction bars it, so that it never is.
                None => {
                    let owner = snapshots.wallet(rebate.wallet)?.owner.clone();
                    bars.push(rebate.barred(original, owner, moment)?);
                }
                Some(paid) if !paid.legs().is_empty() => clawback = Some(paid.amount),
                Some(_failed) => {}
            }
        }

        let kept_fee = original.fee.minor_units() > 0 && !self.return_fee;
        let (mut legs, mut sides) = (vec![], vec![]);
        for leg in original.legs() {
            match leg {
                Leg::System { account: Account::Fees, .. } if kept_fee => {}
                Leg::System { account, amount } => {
                    legs.push(Leg::System { account: *account, amount: amount.negated() });
                }
                Leg::Wallet { wallet, amount, .. } | Leg::Credit { wallet, amount, .. } => {
                    let back = if kept_fee && amount.is_negative() { amount.plus(original.fee)? } else { *amount };
                    let step = self.undo(snapshots, *wallet, back.negated(), clawback)?;
                    legs.push(step.leg());
                    sides.push(step.into());
                }
            }
        }
        if let Some(amount) = clawback {
            legs.push(Leg::System { account: Account::Rebates, amount });
        }
        let asked = self.asked(snapshots).ok_or(Refusal::TransactionNotFound)?;
        let transaction = record(self, asked, posted(legs), moment);
        let marks = vec![Mark { of: original.id, name: MarkName::REVERSAL, by: transaction.id }];
        Ok(Draft { bars, marks, ..Draft::new(transaction, sides) })
    }
}

impl Reverse {
    /// Gives `back` to the wallet; if negative, takes it, and the rebate on top.
    fn undo(
        &self,
        snapshots: &Snapshots,
        wallet: WalletId,
        back: Money,
        clawback: Option<Money>,
    ) -> Result<Step, NoPlan> {
        let wallet = snapshots.wallet(wallet)?;
        accepts(wallet, back)?;
        let other = self.original.counterparty_of(wallet.id);
        if !back.is_negative() {
            return credit(wallet, back, other, None);
        }
        if wallet.status == Status::Frozen {
            return Err(Refusal::WalletFrozen { wallet: wallet.id }.into());
        }
        let outflow = match clawback.map_or(Ok(back.negated()), |rebate| back.negated().plus(rebate)) {
            // No wallet holds so much.
            Err(MoneyError::OutOfRange) => {
                return Err(too_little(snapshots, wallet, Money::largest(wallet.currency())));
            }
            outflow => outflow?,
        };
        let guard = match lowest(wallet, outflow) {
            Ok(lowest) if !wallet.balance.is_less_than(lowest)? => Guard::AtLeast(lowest),
            _ => match too_little(snapshots, wallet, outflow) {
                // The version pins the balance; there is no floor to guard when the administrator has lifted it.
                NoPlan::Refused(_) if self.allow_overdraft => Guard::None,
                too_little => return Err(too_little),
            },
        };
        let mut step = match Step::movement(wallet, outflow.negated(), other, guard) {
            // Not even an overdraft goes below the smallest value.
            Err(MoneyError::OutOfRange) => return Err(too_little(snapshots, wallet, outflow)),
            step => step?,
        };
        let counted = self.original.rule.as_ref().filter(|rule| rule.monthly_cap.is_some());
        if let (Some(amount), Some(rule)) = (clawback, counted) {
            let month = Month::of(self.original.created_at);
            step.after.rebated = step.after.rebated.minus(month, &rule.id, amount)?;
        }
        Ok(step)
    }
}
