//! What the model answers about holds: what captures, voids and releases make of them.

use crate::held::Held;
use crate::model::{Ask, Model, Moved, Place, Share};
use crate::purse::{LARGEST, Refused, fee_on};

impl Model {
    /// What holds of a wallet keep back beyond their time.
    pub(crate) fn overdue(&self, wallet: usize, now_ms: i64) -> i128 {
        let its = self.holds.iter().filter(|hold| hold.from == wallet && hold.is_overdue(now_ms));
        its.map(Held::held).sum()
    }

    pub(crate) fn held_between(&self, ask: &Ask) -> Vec<usize> {
        let (from, to) = match *ask {
            Ask::Hold { from, to, .. } => (from, to),
            Ask::Capture { hold, .. } | Ask::Void { hold } => (self.holds[hold].from, self.holds[hold].to),
            _ => return vec![],
        };
        [from].into_iter().chain(to).collect()
    }

    /// The time of the record: never older than a wallet that was read, where the record moves no balance of it.
    pub(crate) fn recorded_ms(&self, ask: &Ask, now_ms: i64) -> i64 {
        self.held_between(ask).into_iter().map(|at| self.wallets[at].updated_ms).fold(now_ms, i64::max)
    }

    pub(crate) fn hold(
        &mut self,
        by: usize,
        (from, to): (usize, Option<usize>),
        Moved { units, code, pin }: Moved,
        fee: Option<Share>,
        (now_ms, recorded_ms, lives_ms): (i64, i64, i64),
    ) -> Result<Vec<(Place, i128)>, Refused<'static>> {
        self.may_give(by, from, code, pin)?;
        to.map_or(Ok(()), |to| self.wallets[to].takes_part(code))?;
        self.wallets[from].debit(units, fee_on(fee, units), true, true, now_ms)?;
        let (made_ms, ends_ms) = (recorded_ms, recorded_ms + lives_ms);
        let hold = Held { from, to, units, fee, made_ms, ends_ms, status: "active", captured: 0, captures: 0 };
        self.wallets[from].held += hold.held();
        self.holds.push(hold);
        Ok(vec![(Place::Wallet(from), 0)])
    }

    /// Whether `by` may end the hold, and it is there to be ended.
    fn live(&self, by: usize, hold: usize) -> Result<(), Refused<'static>> {
        let hold = &self.holds[hold];
        if !self.owns(by, hold.to.unwrap_or(hold.from)) {
            return Err(("hold_not_found", None, None));
        }
        match hold.status {
            "active" => Ok(()),
            "expired" => Err(("hold_expired", None, None)),
            _ => Err(("hold_not_active", None, None)),
        }
    }

    pub(crate) fn capture(
        &mut self,
        by: usize,
        at: usize,
        units: Option<i128>,
        is_final: bool,
    ) -> Result<Vec<(Place, i128)>, Refused<'static>> {
        self.live(by, at)?;
        let Held { from, to, captured, units: whole, .. } = self.holds[at];
        let part = units.unwrap_or(whole - captured);
        if part > whole - captured {
            return Err(("capture_exceeds_hold", None, None));
        }
        let source = &self.wallets[from];
        source.takes_part(source.code)?;
        if source.status == "frozen" {
            return Err(("wallet_frozen", None, None));
        }
        to.map_or(Ok(()), |to| self.wallets[to].takes_part(source.code))?;
        let leaving = self.holds[at].cost(captured + part) - self.holds[at].cost(captured);
        if source.balance - leaving < source.floor {
            let above = (source.with_waiting() - source.floor).clamp(0, LARGEST);
            let (code, available, requested) = source.unless_waiting(above, leaving);
            return Err((code, available.filter(|_| self.owns(by, from)), requested));
        }
        to.map_or(Ok(()), |to| self.has_room(by, to, part))?;
        let before = self.holds[at].held();
        let hold = &mut self.holds[at];
        (hold.captured, hold.captures) = (captured + part, hold.captures + 1);
        if is_final || hold.captured == whole || hold.captures == 50 {
            hold.status = "captured";
        }
        self.free(at, before, leaving);
        let mut moves = vec![(Place::Wallet(from), -leaving)];
        moves.push((to.map_or(Place::System("external"), Place::Wallet), part));
        moves.extend((leaving > part).then_some((Place::System("fees"), leaving - part)));
        Ok(moves)
    }

    pub(crate) fn void(&mut self, by: usize, at: usize) -> Result<Vec<(Place, i128)>, Refused<'static>> {
        self.live(by, at)?;
        let before = self.holds[at].held();
        self.holds[at].status = "voided";
        self.free(at, before, 0);
        Ok(vec![(Place::Wallet(self.holds[at].from), 0)])
    }

    /// Releases holds of one wallet, each of which must be overdue.
    pub(crate) fn expire(&mut self, wallet: usize, holds: &[usize], now_ms: i64) {
        let updated_ms = self.wallets[wallet].updated_ms;
        let by_ms = if updated_ms <= now_ms + crate::purse::SKEW_MS { now_ms.max(updated_ms) } else { now_ms };
        for at in holds {
            assert!(self.holds[*at].from == wallet && self.holds[*at].is_overdue(by_ms), "{:?}", self.holds[*at]);
            let before = self.holds[*at].held();
            self.holds[*at].status = "expired";
            self.free(*at, before, 0);
        }
        let purse = &mut self.wallets[wallet];
        purse.version += 1;
        purse.updated_ms = updated_ms.max(now_ms);
    }

    /// What a hold kept back `before` is less by now; of that, `spent` has left.
    fn free(&mut self, at: usize, before: i128, spent: i128) {
        let Held { from, made_ms, .. } = self.holds[at];
        let freed = before - self.holds[at].held();
        self.wallets[from].held -= freed;
        self.wallets[from].give_back(freed - spent, made_ms);
    }
}
