//! Commands that are written in one transaction: each is decided on what the one before it leaves.
//!
//! A wallet that several of them move takes one step, with a version and a row of its statement for each: one by one, these
//! requests would lose races for it to one another. Each keeps a record and an id of its own. What cannot be taken along is
//! left out, a refused command too, and decided later by itself.

use jiff::Timestamp;

use crate::command::decide;
use crate::plan::{Guard, MAX_ACTIONS, Plan, Posting, Unsound};
use crate::snapshots::Snapshots;
use crate::transaction::Outcome;
use crate::verbs::Command;

/// Plans that follow one another, and what they do to each wallet together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Together {
    plans: Vec<Plan>,
    postings: Vec<Posting>,
}

impl Together {
    /// Decides `commands` in their order, and takes along those that are not refused and whose
    /// items fit. The snapshots must hold all that exists of what each of them reads.
    ///
    /// # Errors
    /// When what they do to a wallet does not add up.
    pub fn of<'a>(
        mut snapshots: Snapshots,
        commands: impl IntoIterator<Item = &'a Command>,
        now: Timestamp,
    ) -> Result<Together, Unsound> {
        let mut together = Together::default();
        for command in commands {
            let Ok(plan) = decide(&snapshots, command, now) else { continue };
            let Some(postings) = together.with(&plan) else { continue };
            let steps = plan.postings().iter().map(|posting| (posting.after.id, posting.after.clone()));
            snapshots.wallets.extend(steps);
            together.postings = postings;
            together.plans.push(plan);
        }
        together.postings = together.postings.into_iter().map(chained).collect::<Result<_, _>>()?;
        Ok(together)
    }

    /// In the order in which they were decided. Their postings are those of [`Together::postings`], one by one.
    #[must_use]
    pub fn plans(&self) -> &[Plan] {
        &self.plans
    }

    /// One for each wallet concerned.
    #[must_use]
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }

    /// The postings with `plan` taken along; `None` where it cannot be.
    fn with(&self, plan: &Plan) -> Option<Vec<Posting>> {
        let keeps_the_wallet = matches!(plan.transaction().outcome, Outcome::Posted { wallet: Some(_), .. });
        let is_here = self.plans.iter().any(|other| other.transaction().id == plan.transaction().id);
        if is_here
            || keeps_the_wallet
            || !(plan.bars().is_empty() && plan.marks().is_empty() && plan.holds().is_empty())
        {
            return None;
        }
        let mut postings = self.postings.clone();
        for posting in plan.postings() {
            match postings.iter_mut().find(|before| before.after.id == posting.after.id) {
                Some(before) => *before = joined(before, posting)?,
                None => postings.push(posting.clone()),
            }
        }
        let credits: usize = self.plans.iter().chain([plan]).map(|plan| plan.credits().len()).sum();
        let actions = self.plans.len() + 1 + credits + 2 * postings.len();
        (actions <= MAX_ACTIONS).then_some(postings)
    }
}

/// `first` and then `next` as one step; `None` where they cannot be one, as when their time or what is held differs: the rows
/// of one item share both.
fn joined(first: &Posting, next: &Posting) -> Option<Posting> {
    let (last, row) = first.rows.last().zip(next.rows.first())?;
    if (last.created_at, last.held_after) != (row.created_at, row.held_after) {
        return None;
    }
    // What `next` asks of the balance that `first` leaves, asked of the balance before.
    let moved = first.after.balance.minus(first.before.as_ref()?.balance).ok()?;
    let guard = match (first.guard, next.guard) {
        (Guard::AtLeast(lowest), Guard::AtLeast(next)) => {
            let next = next.minus(moved).ok()?;
            Guard::AtLeast(if lowest.is_less_than(next).ok()? { next } else { lowest })
        }
        (Guard::AtMost(highest), Guard::AtMost(next)) => Guard::AtMost(highest.at_most(next.minus(moved).ok()?).ok()?),
        _ => return None,
    };
    let rows = first.rows.iter().chain(&next.rows).cloned().collect();
    Some(Posting { before: first.before.clone(), after: next.after.clone(), rows, guard })
}

/// `posting` with its rows chained anew, as its wallet is after all of them.
fn chained(mut posting: Posting) -> Result<Posting, Unsound> {
    let unmatched = Unsound::Unmatched(posting.after.id);
    let Some(before) = posting.before.as_ref() else { return Err(unmatched) };
    let (mut version, mut balance, mut previous) = (before.version, before.balance, before.head);
    let state = posting.after.state();
    for row in &mut posting.rows {
        version = version.saturating_add(1);
        balance = balance.plus(row.amount).map_err(Unsound::Arithmetic)?;
        if (row.version, row.balance_after) != (version, balance) {
            return Err(unmatched);
        }
        (row.state, row.previous) = (state, previous);
        *row = row.clone().hashed();
        previous = row.hash;
    }
    if (posting.after.version, posting.after.balance) != (version, balance) {
        return Err(unmatched);
    }
    posting.after.head = previous;
    Ok(posting)
}
