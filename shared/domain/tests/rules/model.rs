//! The model that random sequences are held against: balances and counts in plain whole numbers, written the naive way
//! from the contract. It keeps every debit that there ever was and counts anew each time.

use std::collections::BTreeMap;

/// The largest amount and balance, in minor units.
pub(crate) const LARGEST: i128 = 10_i128.pow(18) - 1;

/// Callers by number. The last one is the administrator.
pub(crate) const CALLERS: [&str; 3] = ["alice", "bob", "root"];
pub(crate) const ADMIN: usize = 2;

#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    pub(crate) status: Option<&'static str>,
    pub(crate) floor: Option<i128>,
    pub(crate) ceiling: Option<Option<i128>>,
    pub(crate) max_movement: Option<Option<i128>>,
    pub(crate) daily: Option<Option<i128>>,
    pub(crate) rate: Option<Option<u32>>,
}

/// Basis points between a minimum and a maximum: a fee or a rebate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) points: i128,
    pub(crate) minimum: i128,
    pub(crate) maximum: i128,
    /// Of a rebate, for the deposits of one month.
    pub(crate) monthly: Option<i128>,
}

/// What is to move, and the version that is pinned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moved {
    pub(crate) units: i128,
    pub(crate) code: &'static str,
    pub(crate) pin: Option<u64>,
}

#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Deposit { to: usize, moved: Moved, rule: Option<Share> },
    Withdraw { from: usize, moved: Moved },
    Transfer { from: usize, to: usize, moved: Moved, fee: Option<Share> },
    Amend { wallet: usize, version: u64, terms: Terms },
    Rebate { deposit: usize },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Wallet(usize),
    System(&'static str),
}

/// A code, what could have moved, what should have.
pub(crate) type Refused = (&'static str, Option<i128>, Option<i128>);

#[derive(Debug)]
pub(crate) struct Debit {
    day: i64,
    minute: i64,
    units: i128,
    is_transfer: bool,
}

#[derive(Debug)]
pub(crate) struct Purse {
    pub(crate) owner: usize,
    pub(crate) code: &'static str,
    pub(crate) balance: i128,
    pub(crate) floor: i128,
    pub(crate) ceiling: Option<i128>,
    pub(crate) status: &'static str,
    pub(crate) max_movement: Option<i128>,
    pub(crate) daily: Option<i128>,
    pub(crate) rate: Option<u32>,
    pub(crate) version: u64,
    pub(crate) debits: Vec<Debit>,
}

impl Purse {
    pub(crate) fn new(owner: usize, code: &'static str) -> Purse {
        Purse {
            owner,
            code,
            balance: 0,
            floor: 0,
            ceiling: None,
            status: "active",
            max_movement: None,
            daily: None,
            rate: None,
            version: 0,
            debits: vec![],
        }
    }

    pub(crate) fn top(&self) -> i128 {
        self.ceiling.unwrap_or(LARGEST)
    }

    /// Day and minute at `now`, or the newest in which a debit was counted.
    fn window(&self, now_ms: i64) -> (i64, i64) {
        let day = self.debits.iter().map(|debit| debit.day).fold(now_ms / 86_400_000, i64::max);
        let minute = self.debits.iter().map(|debit| debit.minute).fold(now_ms / 60_000, i64::max);
        (day, minute)
    }

    pub(crate) fn left_today(&self, now_ms: i64) -> Option<i128> {
        let (today, _) = self.window(now_ms);
        let gone: i128 = self.debits.iter().filter(|debit| debit.day == today).map(|debit| debit.units).sum();
        self.daily.map(|daily| (daily - gone).max(0))
    }

    fn takes_part(&self, code: &str) -> Result<(), Refused> {
        match (self.code == code, self.status) {
            (false, _) => Err(("currency_mismatch", None, None)),
            (true, "closed") => Err(("wallet_closed", None, None)),
            _ => Ok(()),
        }
    }

    fn at_version(&self, pin: Option<u64>) -> Result<(), Refused> {
        if pin.is_some_and(|pin| pin != self.version) { Err(("version_mismatch", None, None)) } else { Ok(()) }
    }

    fn credit(&self, units: i128, told: bool) -> Result<(), Refused> {
        let room = self.top() - self.balance;
        if units > room {
            Err(("max_balance_exceeded", told.then_some(room.min(LARGEST)), Some(units)))
        } else {
            Ok(())
        }
    }

    fn debit(&mut self, units: i128, fee: i128, is_transfer: bool, now_ms: i64) -> Result<(), Refused> {
        if self.status == "frozen" {
            return Err(("wallet_frozen", None, None));
        }
        self.moves_so_much(units, true)?;
        let outflow = units + fee;
        if let Some(left) = self.left_today(now_ms).filter(|left| *left < outflow) {
            return Err(("limit_exceeded", Some(left), Some(outflow.min(LARGEST))));
        }
        let (day, minute) = self.window(now_ms);
        let before = self.debits.iter().filter(|debit| debit.minute == minute && debit.is_transfer).count();
        if is_transfer && self.rate.is_some_and(|rate| before + 1 > rate as usize) {
            return Err(("rate_limited", None, None));
        }
        if self.balance - outflow < self.floor || outflow > LARGEST {
            let spendable = (self.balance - self.floor).min(LARGEST);
            return Err(("insufficient_funds", Some(spendable), Some(outflow.min(LARGEST))));
        }
        self.debits.push(Debit { day, minute, units: outflow, is_transfer });
        Ok(())
    }

    fn moves_so_much(&self, units: i128, told: bool) -> Result<(), Refused> {
        match self.max_movement {
            Some(limit) if units > limit => Err(("limit_exceeded", told.then_some(limit), Some(units))),
            _ => Ok(()),
        }
    }

    fn amend(&mut self, terms: &Terms) -> Result<(), Refused> {
        if self.status == "closed" {
            return Err(("wallet_closed", None, None));
        }
        let (floor, ceiling) = (terms.floor.unwrap_or(self.floor), terms.ceiling.unwrap_or(self.ceiling));
        let bad_limit = |limit: Option<Option<i128>>| limit.flatten().is_some_and(|limit| limit <= 0);
        if floor > 0 || ceiling.is_some_and(|top| top < 0) || bad_limit(terms.max_movement) || bad_limit(terms.daily) {
            return Err(("invalid_amount", None, None));
        }
        if terms.status == Some("closed") && self.balance != 0 {
            return Err(("wallet_not_empty", None, None));
        }
        if self.balance < floor {
            return Err(("insufficient_funds", Some(self.balance), Some(floor)));
        }
        if self.balance > ceiling.unwrap_or(LARGEST) {
            return Err(("max_balance_exceeded", ceiling, Some(self.balance)));
        }
        (self.floor, self.ceiling) = (floor, ceiling);
        self.status = terms.status.unwrap_or(self.status);
        self.max_movement = terms.max_movement.unwrap_or(self.max_movement);
        self.daily = terms.daily.unwrap_or(self.daily);
        self.rate = terms.rate.unwrap_or(self.rate);
        Ok(())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) wallets: Vec<Purse>,
    /// What system accounts hold, by name and currency.
    pub(crate) system: BTreeMap<(&'static str, &'static str), i128>,
    /// Wallet, amount, rule and month of each deposit that was posted.
    pub(crate) deposits: Vec<(usize, i128, Option<Share>, i32)>,
    /// What monthly caps count, by wallet and month.
    pub(crate) rebated: BTreeMap<(usize, i32), i128>,
}

impl Model {
    /// What moves, or why nothing does.
    pub(crate) fn answer(&mut self, by: usize, ask: &Ask, now_ms: i64) -> Result<Vec<(Place, i128)>, Refused> {
        let owns = |purse: &Purse| by == ADMIN || purse.owner == by;
        let moves = match *ask {
            Ask::Deposit { to, moved: Moved { units, code, pin }, rule } => {
                let purse = &self.wallets[to];
                // Of a stranger's wallet nobody knows the version.
                purse.at_version(if owns(purse) { pin } else { pin.and(Some(u64::MAX)) })?;
                purse.takes_part(code)?;
                purse.moves_so_much(units, owns(purse))?;
                purse.credit(units, owns(purse))?;
                self.deposits.push((to, units, rule, month(now_ms)));
                vec![(Place::System("external"), -units), (Place::Wallet(to), units)]
            }
            Ask::Withdraw { from, moved: Moved { units, code, pin } } => {
                let purse = &mut self.wallets[from];
                if !owns(purse) {
                    return Err(("wallet_not_found", None, None));
                }
                purse.at_version(pin)?;
                purse.takes_part(code)?;
                purse.debit(units, 0, false, now_ms)?;
                vec![(Place::Wallet(from), -units), (Place::System("external"), units)]
            }
            Ask::Transfer { from, to, .. } if from == to => return Err(("same_wallet", None, None)),
            Ask::Transfer { from, to, moved: Moved { units, code, pin }, fee } => {
                if !owns(&self.wallets[from]) {
                    return Err(("wallet_not_found", None, None));
                }
                self.wallets[from].at_version(pin)?;
                self.wallets[from].takes_part(code)?;
                self.wallets[to].takes_part(code)?;
                let fee = fee.map_or(0, |fee| half_even(units * fee.points).max(fee.minimum).min(fee.maximum));
                self.wallets[from].debit(units, fee, true, now_ms)?;
                if let Err(refused) = self.wallets[to].credit(units, owns(&self.wallets[to])) {
                    self.wallets[from].debits.pop();
                    return Err(refused);
                }
                let mut moves = vec![(Place::Wallet(from), -units - fee), (Place::Wallet(to), units)];
                moves.extend((fee > 0).then_some((Place::System("fees"), fee)));
                moves
            }
            Ask::Amend { .. } if by != ADMIN => return Err(("missing_scope", None, None)),
            Ask::Amend { wallet, version, ref terms } => {
                let purse = &mut self.wallets[wallet];
                purse.at_version(Some(version))?;
                purse.amend(terms)?;
                purse.version += 1;
                vec![]
            }
            Ask::Rebate { deposit } => {
                let (to, deposited, rule, month) = self.deposits[deposit];
                let Some(rule) = rule else { return Err(("transaction_not_found", None, None)) };
                let purse = &self.wallets[to];
                let earned = (deposited * rule.points / 10_000).min(rule.maximum);
                if earned == 0 || earned < rule.minimum {
                    return Err(("rebate_below_minimum", None, Some(earned)));
                }
                purse.takes_part(purse.code)?;
                let newest = self.rebated.keys().filter(|(wallet, _)| *wallet == to).map(|(_, month)| *month).max();
                if rule.monthly.is_some() && newest.is_some_and(|newest| month < newest - 2) {
                    return Err(("rebate_too_late", None, Some(earned)));
                }
                let sum = self.rebated.get(&(to, month)).copied().unwrap_or(0);
                let left = rule.monthly.map_or(earned, |cap| cap - sum);
                if left <= 0 {
                    return Err(("rebate_cap_reached", None, Some(earned)));
                }
                let paid = earned.min(left).min(purse.top() - purse.balance);
                if paid == 0 {
                    return Err(("max_balance_exceeded", Some(0), Some(earned)));
                }
                if rule.monthly.is_some() {
                    *self.rebated.entry((to, month)).or_default() += paid;
                }
                vec![(Place::System("rebates"), -paid), (Place::Wallet(to), paid)]
            }
        };
        let code = self.code(ask);
        for (place, units) in &moves {
            match *place {
                Place::Wallet(at) => {
                    self.wallets[at].balance += units;
                    self.wallets[at].version += 1;
                }
                Place::System(name) => *self.system.entry((name, code)).or_default() += units,
            }
        }
        Ok(moves)
    }

    fn code(&self, ask: &Ask) -> &'static str {
        match *ask {
            Ask::Deposit { moved, .. } | Ask::Withdraw { moved, .. } | Ask::Transfer { moved, .. } => moved.code,
            Ask::Amend { wallet, .. } => self.wallets[wallet].code,
            Ask::Rebate { deposit } => self.wallets[self.deposits[deposit].0].code,
        }
    }
}

/// A ten-thousandth, a tie to the even unit.
fn half_even(units: i128) -> i128 {
    let (whole, rest) = (units / 10_000, units % 10_000);
    match rest.cmp(&5_000) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Equal => whole + whole % 2,
        std::cmp::Ordering::Greater => whole + 1,
    }
}

/// Months since year 0, read off the calendar as it is written.
fn month(now_ms: i64) -> i32 {
    let written = wallet_domain::Timestamp::from_millisecond(now_ms).expect("a few years at most").to_string();
    let number = |part: &str| part.parse::<i32>().expect("digits");
    number(&written[..4]) * 12 + number(&written[5..7])
}
