//! A wallet of the model: its balance, its terms, and every debit that there ever was, counted anew each time.

/// The largest amount and balance, in minor units.
pub(crate) const LARGEST: i128 = 10_i128.pow(18) - 1;

/// How far clocks may differ.
pub(crate) const SKEW_MS: i64 = 600_000;

/// Longer than any request lives.
const QUIET_MS: i64 = 900_000;

/// Basis points between a minimum and a maximum: a fee or a rebate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) points: i128,
    pub(crate) minimum: i128,
    pub(crate) maximum: i128,
    /// Of a rebate, for the deposits of one month.
    pub(crate) monthly: Option<i128>,
}

/// The fee on so much.
pub(crate) fn fee_on(fee: Option<Share>, units: i128) -> i128 {
    fee.map_or(0, |fee| half_even(units * fee.points).max(fee.minimum).min(fee.maximum))
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

#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    pub(crate) status: Option<&'static str>,
    pub(crate) credits: Option<&'static str>,
    pub(crate) floor: Option<i128>,
    pub(crate) ceiling: Option<Option<i128>>,
    pub(crate) max_movement: Option<Option<i128>>,
    pub(crate) daily: Option<Option<i128>>,
    pub(crate) rate: Option<Option<u32>>,
}

/// A code, what could have moved, what should have.
pub(crate) type Refused<'a> = (&'a str, Option<i128>, Option<i128>);

#[derive(Debug)]
pub(crate) struct Debit {
    day: i64,
    minute: i64,
    units: i128,
    is_transfer: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Purse {
    pub(crate) owner: usize,
    pub(crate) code: &'static str,
    pub(crate) balance: i128,
    /// What its holds keep back.
    pub(crate) held: i128,
    /// What of that is kept back beyond its time, by the asker's clock.
    pub(crate) overdue: i128,
    pub(crate) floor: i128,
    pub(crate) ceiling: Option<i128>,
    pub(crate) status: &'static str,
    pub(crate) max_movement: Option<i128>,
    pub(crate) daily: Option<i128>,
    pub(crate) rate: Option<u32>,
    pub(crate) version: u64,
    /// When its newest entry was made.
    pub(crate) updated_ms: i64,
    /// An administrator has taken it below its floor, and it has not come back up.
    pub(crate) overdrawn: bool,
    pub(crate) debits: Vec<Debit>,
    /// Whether what comes waits first.
    pub(crate) batched: bool,
    /// When that changed last.
    pub(crate) switched_ms: Option<i64>,
    /// What waits, by the order in which it is settled: when it came, and a name that tells two of one time apart.
    pub(crate) waits: Vec<(i64, String, i128)>,
}

impl Purse {
    pub(crate) fn new(owner: usize, code: &'static str) -> Purse {
        Purse { owner, code, status: "active", ..Purse::default() }
    }

    /// Settles what can be: the oldest first, and nothing beyond the largest value.
    pub(crate) fn settle(&mut self, now_ms: i64) {
        self.waits.sort();
        for (came_ms, name, units) in std::mem::take(&mut self.waits) {
            if self.balance + units > LARGEST {
                self.waits.push((came_ms, name, units));
                continue;
            }
            self.balance += units;
            self.version += 1;
            self.updated_ms = self.updated_ms.max(now_ms);
            self.overdrawn &= self.balance < self.floor;
        }
    }

    /// The balance once all is settled that can be.
    pub(crate) fn with_waiting(&self) -> i128 {
        let mut waits = self.waits.clone();
        waits.sort();
        waits.iter().fold(self.balance, |sum, (.., units)| if sum + units > LARGEST { sum } else { sum + units })
    }

    /// Refused, unless what waits is enough for it.
    pub(crate) fn unless_waiting(&self, available: i128, requested: i128) -> Refused<'static> {
        if self.with_waiting() > self.balance && available >= requested {
            return ("unsettled", None, None);
        }
        ("insufficient_funds", Some(available), Some(requested))
    }

    pub(crate) fn top(&self) -> i128 {
        self.ceiling.unwrap_or(LARGEST)
    }

    /// Day and minute at `now`, or those of the newest debit if they are later and believed.
    fn window(&self, now_ms: i64) -> (i64, i64) {
        let of = |newest: Option<i64>, length_ms| {
            let (now, latest) = (now_ms / length_ms, (now_ms + SKEW_MS) / length_ms);
            newest.filter(|newest| (now..=latest).contains(newest)).unwrap_or(now)
        };
        let newest = self.debits.last();
        (of(newest.map(|debit| debit.day), 86_400_000), of(newest.map(|debit| debit.minute), 60_000))
    }

    /// A window that was left, for whatever reason, starts from nothing.
    pub(crate) fn left_today(&self, now_ms: i64) -> Option<i128> {
        let (today, _) = self.window(now_ms);
        self.daily.map(|daily| (daily - self.gone(today)).max(0))
    }

    /// What has left since the newest of another day.
    fn gone(&self, day: i64) -> i128 {
        self.debits.iter().rev().take_while(|debit| debit.day == day).map(|debit| debit.units).sum()
    }

    pub(crate) fn takes_part(&self, code: &str) -> Result<(), Refused<'static>> {
        match (self.code == code, self.status) {
            (false, _) => Err(("currency_mismatch", None, None)),
            (true, "closed") => Err(("wallet_closed", None, None)),
            _ => Ok(()),
        }
    }

    pub(crate) fn at_version(&self, pin: Option<u64>) -> Result<(), Refused<'static>> {
        if pin.is_some_and(|pin| pin != self.version) { Err(("version_mismatch", None, None)) } else { Ok(()) }
    }

    pub(crate) fn credit(&self, units: i128, told: bool) -> Result<(), Refused<'static>> {
        let room = self.top() - self.balance;
        if units > room {
            Err(("max_balance_exceeded", told.then_some(room.min(LARGEST)), Some(units)))
        } else {
            Ok(())
        }
    }

    pub(crate) fn debit(
        &mut self,
        units: i128,
        fee: i128,
        is_transfer: bool,
        keeps: bool,
        now_ms: i64,
    ) -> Result<(), Refused<'static>> {
        if self.status == "frozen" {
            return Err(("wallet_frozen", None, None));
        }
        self.moves_so_much(units, true)?;
        let outflow = units + fee;
        if let Some(left) = self.left_today(now_ms).filter(|left| *left < outflow) {
            return Err(("limit_exceeded", Some(left), Some(outflow.min(LARGEST))));
        }
        let (day, minute) = self.window(now_ms);
        let of_this_minute = self.debits.iter().rev().take_while(|debit| debit.minute == minute);
        let before = of_this_minute.filter(|debit| debit.is_transfer).count();
        if is_transfer && self.rate.is_some_and(|rate| before + 1 > rate as usize) {
            return Err(("rate_limited", None, None));
        }
        if self.balance - self.held - outflow < self.floor
            || outflow > LARGEST
            || (keeps && self.held + outflow > LARGEST)
        {
            return Err(self.too_little(outflow));
        }
        self.debits.push(Debit { day, minute, units: outflow, is_transfer });
        Ok(())
    }

    /// Some of what was counted at `ms` stays after all: it is given back to the day that is counted, if that is the one.
    pub(crate) fn give_back(&mut self, units: i128, ms: i64) {
        let Some(&Debit { day, minute, .. }) = self.debits.last().filter(|last| last.day == ms / 86_400_000) else {
            return;
        };
        self.debits.push(Debit { day, minute, units: -units.min(self.gone(day)), is_transfer: false });
    }

    fn too_little(&self, outflow: i128) -> Refused<'static> {
        let spendable = (self.with_waiting() - self.held + self.overdue - self.floor).clamp(0, LARGEST);
        self.unless_waiting(spendable, outflow.min(LARGEST))
    }

    /// What a reversal gives back, or takes.
    pub(crate) fn undo(&self, units: i128, overdraft: bool) -> Result<(), Refused<'static>> {
        self.takes_part(self.code)?;
        if units >= 0 {
            return self.credit(units, true);
        }
        if self.status == "frozen" {
            return Err(("wallet_frozen", None, None));
        }
        let refused = self.too_little(-units);
        // An administrator lifts the floor, but only once all that waits is spent.
        let lifted = overdraft && refused.0 != "unsettled" && -units <= LARGEST;
        let lowest = if lifted { -LARGEST } else { self.floor + self.held };
        if self.balance + units < lowest || -units > LARGEST { Err(refused) } else { Ok(()) }
    }

    pub(crate) fn moves_so_much(&self, units: i128, told: bool) -> Result<(), Refused<'static>> {
        match self.max_movement {
            Some(limit) if units > limit => Err(("limit_exceeded", told.then_some(limit), Some(units))),
            _ => Ok(()),
        }
    }

    /// Whether nothing waits and nothing can be on its way.
    fn is_quiet(&self, now_ms: i64) -> bool {
        let Some(switched_ms) = self.switched_ms else { return true };
        let now_ms = if self.updated_ms <= now_ms + SKEW_MS { now_ms.max(self.updated_ms) } else { now_ms };
        !self.batched && now_ms - switched_ms >= QUIET_MS && self.waits.is_empty()
    }

    pub(crate) fn amend(&mut self, terms: &Terms, now_ms: i64) -> Result<(), Refused<'static>> {
        if self.status == "closed" {
            return Err(("wallet_closed", None, None));
        }
        let (floor, ceiling) = (terms.floor.unwrap_or(self.floor), terms.ceiling.unwrap_or(self.ceiling));
        let bad_limit = |limit: Option<Option<i128>>| limit.flatten().is_some_and(|limit| limit <= 0);
        if floor > 0 || ceiling.is_some_and(|top| top < 0) || bad_limit(terms.max_movement) || bad_limit(terms.daily) {
            return Err(("invalid_amount", None, None));
        }
        let batched = terms.credits.map_or(self.batched, |credits| credits == "batched");
        if batched && ceiling.is_some() {
            return Err(("ceiling_with_batched_credits", None, None));
        }
        let bound = ceiling.is_some() && self.ceiling.is_none();
        if (terms.status == Some("closed") || bound) && !self.is_quiet(now_ms) {
            return Err(("credits_in_flight", None, None));
        }
        if terms.status == Some("closed") && (self.held, self.balance) != (0, 0) {
            return Err(("wallet_not_empty", None, None));
        }
        // Below a floor that stays as it is, the rest can still be amended.
        if self.balance - self.held < floor && floor != self.floor {
            let free = (self.with_waiting() - self.held + self.overdue).max(-LARGEST);
            return Err(self.unless_waiting(free, floor));
        }
        if self.balance > ceiling.unwrap_or(LARGEST) {
            return Err(("max_balance_exceeded", ceiling, Some(self.balance)));
        }
        if batched != self.batched {
            (self.batched, self.switched_ms) = (batched, Some(now_ms.max(self.updated_ms)));
        }
        (self.floor, self.ceiling) = (floor, ceiling);
        self.status = terms.status.unwrap_or(self.status);
        self.max_movement = terms.max_movement.unwrap_or(self.max_movement);
        self.daily = terms.daily.unwrap_or(self.daily);
        self.rate = terms.rate.unwrap_or(self.rate);
        Ok(())
    }
}
