//! The model that random sequences are held against: balances and counts in plain whole numbers, written the naive way
//! from the contract.
//!
//! A time that lies more than `SKEW_MS` ahead of the asker's clock was written by a wrong one and counts for nothing.

mod ask;

use std::collections::BTreeMap;

use crate::held::Held;
pub(crate) use crate::purse::Share;
use crate::purse::{LARGEST, Purse, Refused, SKEW_MS, fee_on};
pub(crate) use ask::{ADMIN, Ask, CALLERS, Moved};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Wallet(usize),
    System(&'static str),
}

/// A deposit that was posted.
#[derive(Debug)]
pub(crate) struct Deposited {
    pub(crate) to: usize,
    units: i128,
    rule: Option<Share>,
    month: i32,
    /// Whether there is a record of its rebate, and what was paid by it.
    pub(crate) rebate: Option<Option<i128>>,
}

/// What moved once.
#[derive(Debug)]
pub(crate) struct Movement {
    pub(crate) code: &'static str,
    moves: Vec<(Place, i128)>,
    /// Of a deposit: which.
    deposit: Option<usize>,
    /// A deposit, a withdrawal or a transfer that is not reversed yet; or why it cannot be.
    reversible: Result<(), &'static str>,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) wallets: Vec<Purse>,
    /// What system accounts hold, by name and currency.
    pub(crate) system: BTreeMap<(&'static str, &'static str), i128>,
    pub(crate) deposits: Vec<Deposited>,
    pub(crate) movements: Vec<Movement>,
    pub(crate) holds: Vec<Held>,
    /// What monthly caps count, by wallet and month.
    pub(crate) rebated: BTreeMap<(usize, i32), i128>,
}

impl Model {
    /// What moves, or why nothing does.
    pub(crate) fn answer(
        &mut self,
        by: usize,
        ask: &Ask,
        now_ms: i64,
        name: &str,
    ) -> Result<Vec<(Place, i128)>, Refused<'static>> {
        for at in 0..self.wallets.len() {
            self.wallets[at].overdue = self.overdue(at, now_ms);
        }
        let recorded_ms = self.recorded_ms(ask, now_ms);
        let (clock_ms, now_ms) = (now_ms, self.counted_ms(ask, now_ms));
        let (mut deposit, mut reversible) = (None, Ok(()));
        let moves = match *ask {
            Ask::Deposit { to, moved: Moved { units, code, pin }, rule } => {
                let (purse, owns) = (&self.wallets[to], self.owns(by, to));
                // Of a stranger's wallet nobody knows the version.
                purse.at_version(if owns { pin } else { pin.and(Some(u64::MAX)) })?;
                purse.takes_part(code)?;
                purse.moves_so_much(units, owns)?;
                if pin.is_some() || !purse.batched {
                    purse.credit(units, owns)?;
                }
                let month = month(now_ms.max(purse.updated_ms));
                deposit = Some(self.deposits.len());
                self.deposits.push(Deposited { to, units, rule, month, rebate: None });
                vec![(Place::System("external"), -units), (Place::Wallet(to), units)]
            }
            Ask::Withdraw { from, moved: Moved { units, code, pin } } => {
                self.may_give(by, from, code, pin)?;
                self.wallets[from].debit(units, 0, false, false, now_ms)?;
                vec![(Place::Wallet(from), -units), (Place::System("external"), units)]
            }
            Ask::Transfer { from, to, .. } if from == to => return Err(("same_wallet", None, None)),
            Ask::Transfer { from, to, moved: Moved { units, code, pin }, fee } => {
                self.may_give(by, from, code, pin)?;
                self.wallets[to].takes_part(code)?;
                let fee = fee_on(fee, units);
                self.wallets[from].debit(units, fee, true, false, now_ms)?;
                if let Err(refused) = self.has_room(by, to, units) {
                    self.wallets[from].debits.pop();
                    return Err(refused);
                }
                let mut moves = vec![(Place::Wallet(from), -units - fee), (Place::Wallet(to), units)];
                moves.extend((fee > 0).then_some((Place::System("fees"), fee)));
                moves
            }
            Ask::Payout { from, to, .. } if to.contains(&from) => return Err(("same_wallet", None, None)),
            Ask::Payout { to: [one, other], .. } if one == other => return Err(("duplicate_destination", None, None)),
            Ask::Payout { from, to, moved: Moved { units, code, pin }, fee } => {
                self.may_give(by, from, code, pin)?;
                let fee = 2 * fee_on(fee, units);
                self.wallets[from].debit(2 * units, fee, true, false, now_ms)?;
                let mut moves = vec![(Place::Wallet(from), -2 * units - fee)];
                for payee in to {
                    let takes_part = self.wallets[payee].takes_part(code);
                    if let Err(refused) = takes_part.and_then(|()| self.has_room(by, payee, units)) {
                        self.wallets[from].debits.pop();
                        return Err(refused);
                    }
                    moves.push((Place::Wallet(payee), units));
                }
                moves.extend((fee > 0).then_some((Place::System("fees"), fee)));
                moves
            }
            Ask::Amend { .. } if by != ADMIN => return Err(("missing_scope", None, None)),
            Ask::Amend { wallet, version, ref terms } => {
                let purse = &mut self.wallets[wallet];
                purse.at_version(Some(version))?;
                purse.amend(terms, clock_ms)?;
                purse.version += 1;
                purse.updated_ms = purse.updated_ms.max(now_ms);
                return Ok(vec![]);
            }
            Ask::Rebate { deposit } => {
                let Deposited { to, rule, .. } = self.deposits[deposit];
                let Some(rule) = rule else { return Err(("transaction_not_found", None, None)) };
                // Paid or not, that is on record from now on.
                let paid = self.rebate(&self.deposits[deposit], rule, now_ms);
                self.deposits[deposit].rebate = Some(paid.ok());
                let paid = paid?;
                if rule.monthly.is_some() {
                    self.count(to, self.deposits[deposit].month, paid, now_ms);
                }
                reversible = Err("not_reversible");
                vec![(Place::System("rebates"), -paid), (Place::Wallet(to), paid)]
            }
            Ask::Hold { from, to, .. } if to == Some(from) => return Err(("same_wallet", None, None)),
            Ask::Hold { from, to, moved, fee, lives_ms } => {
                reversible = Err("not_reversible");
                self.hold(by, (from, to), moved, fee, (now_ms, recorded_ms, lives_ms))?
            }
            Ask::Capture { hold, units, is_final } => self.capture(by, hold, units, is_final)?,
            Ask::Void { hold } => {
                reversible = Err("not_reversible");
                self.void(by, hold)?
            }
            Ask::Reverse { .. } if by != ADMIN => return Err(("missing_scope", None, None)),
            Ask::Reverse { movement, overdraft, return_fee } => {
                reversible = Err("not_reversible");
                self.reverse(movement, overdraft, return_fee)?
            }
        };
        let waits = self.waits(ask);
        let code = self.code(ask);
        let concerned = moves.iter().filter_map(|(place, _)| match *place {
            Place::Wallet(at) => Some(self.wallets[at].updated_ms),
            Place::System(_) => None,
        });
        let updated_ms = concerned.fold(recorded_ms, i64::max);
        let overdraft = matches!(ask, Ask::Reverse { overdraft: true, .. });
        for (place, units) in &moves {
            match *place {
                Place::Wallet(at) if waits.contains(&at) => {
                    self.wallets[at].waits.push((updated_ms, name.to_owned(), *units));
                }
                Place::Wallet(at) => {
                    let purse = &mut self.wallets[at];
                    purse.balance += units;
                    purse.version += 1;
                    purse.updated_ms = updated_ms;
                    purse.overdrawn = (purse.overdrawn || overdraft) && purse.balance < purse.floor;
                }
                Place::System(name) => *self.system.entry((name, code)).or_default() += units,
            }
        }
        self.movements.push(Movement { code, moves: moves.clone(), deposit, reversible });
        Ok(moves)
    }

    pub(crate) fn owns(&self, by: usize, wallet: usize) -> bool {
        by == ADMIN || self.wallets[wallet].owner == by
    }

    /// Whether `by` may ask for money out of a wallet, at the version that is pinned.
    pub(crate) fn may_give(
        &self,
        by: usize,
        from: usize,
        code: &str,
        pin: Option<u64>,
    ) -> Result<(), Refused<'static>> {
        if !self.owns(by, from) {
            return Err(("wallet_not_found", None, None));
        }
        self.wallets[from].at_version(pin)?;
        self.wallets[from].takes_part(code)
    }

    /// Whether a credit that `by` asks for fits, or waits.
    pub(crate) fn has_room(&self, by: usize, to: usize, units: i128) -> Result<(), Refused<'static>> {
        let purse = &self.wallets[to];
        if purse.batched { Ok(()) } else { purse.credit(units, self.owns(by, to)) }
    }

    /// Where it leaves a credit to wait.
    fn waits(&self, ask: &Ask) -> Vec<usize> {
        let to = match *ask {
            Ask::Deposit { to, moved: Moved { pin: None, .. }, .. } | Ask::Transfer { to, .. } => vec![to],
            Ask::Payout { to, .. } => to.into(),
            Ask::Capture { hold, .. } => self.holds[hold].to.into_iter().collect(),
            Ask::Rebate { deposit } if self.deposits[deposit].rule.is_some_and(|rule| rule.monthly.is_none()) => {
                vec![self.deposits[deposit].to]
            }
            Ask::Deposit { .. }
            | Ask::Withdraw { .. }
            | Ask::Amend { .. }
            | Ask::Rebate { .. }
            | Ask::Hold { .. }
            | Ask::Void { .. }
            | Ask::Reverse { .. } => vec![],
        };
        to.into_iter().filter(|to| self.wallets[*to].batched).collect()
    }

    /// What limits go by: the newest time of the wallets concerned, as far as clocks may differ.
    fn counted_ms(&self, ask: &Ask, now_ms: i64) -> i64 {
        let concerned = match *ask {
            Ask::Withdraw { from, .. } => vec![from],
            Ask::Transfer { from, to, .. } => vec![from, to],
            Ask::Payout { from, to: [one, other], .. } => vec![from, one, other],
            Ask::Rebate { deposit } => vec![self.deposits[deposit].to],
            Ask::Hold { .. } | Ask::Capture { .. } | Ask::Void { .. } => self.held_between(ask),
            Ask::Deposit { .. } | Ask::Amend { .. } | Ask::Reverse { .. } => vec![],
        };
        let newest = concerned.into_iter().map(|at| self.wallets[at].updated_ms).fold(now_ms, i64::max);
        if newest <= now_ms + SKEW_MS { newest } else { now_ms }
    }

    /// What is paid on a deposit now: clipped to every cap first, held to the minimum last.
    fn rebate(&self, deposit: &Deposited, rule: Share, now_ms: i64) -> Result<i128, Refused<'static>> {
        let Deposited { to, units, month, .. } = *deposit;
        let purse = &self.wallets[to];
        let earned = (units * rule.points / 10_000).min(rule.maximum);
        if earned == 0 {
            return Err(("rebate_below_minimum", None, Some(0)));
        }
        purse.takes_part(purse.code)?;
        let mut left = LARGEST;
        if let Some(cap) = rule.monthly {
            if self.newest_month(to, now_ms).is_some_and(|newest| month < newest - 2) {
                return Err(("rebate_too_late", None, Some(earned)));
            }
            left = cap - self.rebated.get(&(to, month)).copied().unwrap_or(0);
        }
        if left <= 0 {
            return Err(("rebate_cap_reached", None, Some(earned)));
        }
        let room = purse.top() - purse.balance;
        if room == 0 {
            return Err(("max_balance_exceeded", Some(0), Some(earned)));
        }
        match earned.min(left).min(room).min(LARGEST - units) {
            paid if paid == 0 || paid < rule.minimum => Err(("rebate_below_minimum", None, Some(paid))),
            paid => Ok(paid),
        }
    }

    /// The newest month that has a rebate, among those that are believed.
    fn newest_month(&self, wallet: usize, now_ms: i64) -> Option<i32> {
        let latest = month(now_ms + SKEW_MS);
        let months = self.rebated.keys().filter(|(to, month)| *to == wallet && *month <= latest);
        months.map(|(_, month)| *month).max()
    }

    fn count(&mut self, wallet: usize, month: i32, paid: i128, now_ms: i64) {
        *self.rebated.entry((wallet, month)).or_default() += paid;
        if let Some(newest) = self.newest_month(wallet, now_ms) {
            self.rebated.retain(|(to, month), _| *to != wallet || *month >= newest - 2);
        }
    }

    /// Every move the other way round, and with a deposit its rebate.
    fn reverse(
        &mut self,
        movement: usize,
        overdraft: bool,
        return_fee: bool,
    ) -> Result<Vec<(Place, i128)>, Refused<'static>> {
        let Movement { moves, deposit, reversible, .. } = &self.movements[movement];
        reversible.map_err(|code| (code, None, None))?;
        let clawback = deposit.and_then(|deposit| self.deposits[deposit].rebate?).unwrap_or(0);
        let is_fee = |place| place == Place::System("fees");
        let fee: i128 = moves.iter().filter(|(place, _)| is_fee(*place)).map(|(_, units)| units).sum();
        let kept = if return_fee { 0 } else { fee };
        let mut back = vec![];
        for (place, units) in moves {
            match *place {
                place if is_fee(place) && kept > 0 => {}
                Place::System(_) => back.push((*place, -units)),
                Place::Wallet(at) => {
                    let units = if *units < 0 { -units - kept } else { -units - clawback };
                    self.wallets[at].undo(units, overdraft)?;
                    back.push((*place, units));
                }
            }
        }
        back.extend((clawback > 0).then_some((Place::System("rebates"), clawback)));
        if let Some(Deposited { to, rule: Some(rule), month, rebate, .. }) = deposit.map(|at| &mut self.deposits[at]) {
            if rule.monthly.is_some() {
                self.rebated.entry((*to, *month)).and_modify(|sum| *sum = (*sum - clawback).max(0));
            }
            // From now on it is on record, be it as one that never will be paid.
            rebate.get_or_insert(None);
        }
        self.movements[movement].reversible = Err("already_reversed");
        Ok(back)
    }

    fn code(&self, ask: &Ask) -> &'static str {
        match *ask {
            Ask::Deposit { moved, .. }
            | Ask::Withdraw { moved, .. }
            | Ask::Transfer { moved, .. }
            | Ask::Payout { moved, .. }
            | Ask::Hold { moved, .. } => moved.code,
            Ask::Capture { hold, .. } | Ask::Void { hold } => self.wallets[self.holds[hold].from].code,
            Ask::Amend { wallet, .. } => self.wallets[wallet].code,
            Ask::Rebate { deposit } => self.wallets[self.deposits[deposit].to].code,
            Ask::Reverse { movement, .. } => self.movements[movement].code,
        }
    }
}

/// Months since year 0, read off the calendar as it is written.
fn month(now_ms: i64) -> i32 {
    let written = wallet_domain::Timestamp::from_millisecond(now_ms).expect("a few years at most").to_string();
    let number = |part: &str| part.parse::<i32>().expect("digits");
    number(&written[..4]) * 12 + number(&written[5..7])
}
