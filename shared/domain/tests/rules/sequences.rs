//! Random sequences of commands over several wallets, held against the model after every step.
//!
//! Sizes are drawn around the bounds in force at that moment, one unit below, on and above: that is where mistakes live.

use proptest::prelude::*;

use crate::chain::flaw;
use crate::ledger::{Ledger, Request};
use crate::model::{ADMIN, Ask, Model, Moved, Share};
use crate::purse::{LARGEST, Purse, Terms};
use crate::tamper::TAMPERINGS;

/// A minute and a half before midnight.
const START_MS: i64 = 1_772_409_510_000;

const WALLETS: usize = 4;

/// How much, as what: found out when the step comes, from where the model stands.
#[derive(Debug, Clone, Copy)]
enum Size {
    Units(i128),
    Spendable(i128),
    Room(i128),
    MaxMovement(i128),
    LeftToday(i128),
    Largest(i128),
}

#[derive(Debug, Clone)]
enum Verb {
    Deposit(Option<Share>),
    Withdraw,
    Transfer(Option<Share>),
    Payout(Option<Share>),
    Amend(Terms),
    Rebate(usize),
    Reverse { nth: usize, overdraft: bool, return_fee: bool },
    Hold { fee: Option<Share>, out: bool, lives_ms: i64 },
    Capture { nth: usize, tenths: Option<i128>, is_final: bool },
    Void(usize),
    Again(usize),
    Settle,
}

/// What is out of the ordinary about a step.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Oddity {
    /// Anyone asks, the administrator too, not the wallet's owner.
    By(usize),
    WrongCurrency,
    /// Source and destination as drawn, even if they are the same or differ in currency.
    AnyPair,
}

#[derive(Debug, Clone)]
struct Step {
    from: usize,
    to: usize,
    verb: Verb,
    size: Size,
    /// Added to the version when one is pinned.
    pin: Option<u64>,
    oddity: Option<Oddity>,
    wait_ms: i64,
}

fn size() -> impl Strategy<Value = Size> {
    let near = || -1_i128..=1;
    prop_oneof![
        4 => (1_i128..=3_000).prop_map(Size::Units),
        3 => near().prop_map(Size::Spendable),
        3 => near().prop_map(Size::Room),
        1 => near().prop_map(Size::MaxMovement),
        2 => near().prop_map(Size::LeftToday),
        1 => (0_i128..=2).prop_map(Size::Largest),
        1 => (1..=LARGEST).prop_map(Size::Units),
    ]
}

fn share(largest_points: i128) -> impl Strategy<Value = Option<Share>> {
    let points = prop_oneof![Just(0), Just(100), Just(10_000), 0..=largest_points];
    let bounds = prop_oneof![Just((0, LARGEST)), Just((7, 7)), (0_i128..10, 10_i128..400), Just((2, 0))];
    let monthly = prop::option::weighted(0.6, prop_oneof![0_i128..60, 0_i128..10, Just(LARGEST)]);
    let share = (points, bounds, monthly).prop_map(|(points, (minimum, maximum), monthly)| Share {
        points,
        minimum,
        maximum,
        monthly,
    });
    prop::option::weighted(0.7, share)
}

/// A fee's minimum is never above its maximum; a rebate's may be, and then it is never paid.
fn fee() -> impl Strategy<Value = Option<Share>> {
    share(300).prop_map(|fee| fee.filter(|fee| fee.minimum <= fee.maximum))
}

fn limit() -> impl Strategy<Value = Option<i128>> {
    prop::option::weighted(0.3, prop_oneof![1_i128..4_000, Just(LARGEST)])
}

fn floor() -> impl Strategy<Value = i128> {
    prop_oneof![3 => Just(0), 2 => -2_000_i128..=0, 1 => Just(-LARGEST)]
}

fn ceiling() -> impl Strategy<Value = Option<i128>> {
    prop_oneof![3 => Just(None), 2 => (0_i128..8_000).prop_map(Some), 1 => Just(Some(LARGEST))]
}

fn rate() -> impl Strategy<Value = Option<u32>> {
    prop::option::weighted(0.3, 0_u32..4)
}

fn terms() -> impl Strategy<Value = Terms> {
    let status = prop::sample::select(&["active", "active", "active", "frozen", "closed"][..]);
    let rarely = 0.15;
    (
        prop::option::weighted(0.5, status),
        prop::option::weighted(0.3, prop::sample::select(&["immediate", "batched"][..])),
        prop::option::weighted(rarely, prop_oneof![4 => floor(), 1 => Just(1)]),
        prop::option::weighted(rarely, prop_oneof![4 => ceiling(), 1 => Just(Some(-1))]),
        prop::option::weighted(rarely, prop_oneof![4 => limit(), 1 => Just(Some(0))]),
        prop::option::weighted(rarely, prop_oneof![4 => limit(), 1 => Just(Some(-1))]),
        prop::option::weighted(rarely, rate()),
    )
        .prop_map(|(status, credits, floor, ceiling, max_movement, daily, rate)| Terms {
            status,
            credits,
            floor,
            ceiling,
            max_movement,
            daily,
            rate,
        })
}

fn step() -> impl Strategy<Value = Step> {
    let verb = prop_oneof![
        5 => share(10_000).prop_map(Verb::Deposit),
        4 => Just(Verb::Withdraw),
        6 => fee().prop_map(Verb::Transfer),
        3 => fee().prop_map(Verb::Payout),
        2 => terms().prop_map(Verb::Amend),
        5 => (0_usize..1_000).prop_map(Verb::Rebate),
        3 => (0_usize..1_000, any::<bool>(), any::<bool>())
            .prop_map(|(nth, overdraft, return_fee)| Verb::Reverse { nth, overdraft, return_fee }),
        4 => (fee(), prop::bool::weighted(0.2), prop_oneof![Just(60_000_i64), Just(86_400_000)])
            .prop_map(|(fee, out, lives_ms)| Verb::Hold { fee, out, lives_ms }),
        4 => (0_usize..1_000, prop::option::of(1_i128..=11), any::<bool>())
            .prop_map(|(nth, tenths, is_final)| Verb::Capture { nth, tenths, is_final }),
        1 => (0_usize..1_000).prop_map(Verb::Void),
        1 => (0_usize..1_000).prop_map(Verb::Again),
        2 => Just(Verb::Settle),
    ];
    let wait_ms = prop_oneof![
        4 => 0_i64..=20_000,
        2 => -90_000_i64..=0,
        1 => Just(60_000),
        1 => 0_i64..=90_000_000,
        // Some months on, or back.
        1 => prop_oneof![Just(1), Just(1), Just(-1)].prop_flat_map(|way| (1..=100_i64).prop_map(move |d| way * d * 86_400_000)),
    ];
    let pin = prop_oneof![6 => Just(None), 2 => Just(Some(0)), 1 => Just(Some(1))];
    let oddity = prop_oneof![
        4 => (0..=ADMIN).prop_map(Oddity::By),
        1 => Just(Oddity::WrongCurrency),
        2 => Just(Oddity::AnyPair),
    ];
    let oddity = prop::option::weighted(0.3, oddity);
    (0..WALLETS, 0..WALLETS, verb, size(), pin, oddity, wait_ms)
        .prop_map(|(from, to, verb, size, pin, oddity, wait_ms)| Step { from, to, verb, size, pin, oddity, wait_ms })
}

/// Three wallets in euros and one in yen, of two owners: each with terms of its own.
fn purses() -> impl Strategy<Value = Vec<Purse>> {
    let one = |owner, code| {
        (floor(), ceiling(), limit(), limit(), rate(), any::<bool>()).prop_map(
            move |(floor, ceiling, max_movement, daily, rate, batched)| {
                let batched = batched && ceiling.is_none();
                Purse { floor, ceiling, max_movement, daily, rate, batched, ..Purse::new(owner, code) }
            },
        )
    };
    (one(0, "EUR"), one(1, "EUR"), one(0, "EUR"), one(1, "JPY")).prop_map(|(a, b, c, d)| vec![a, b, c, d])
}

fn units(step: &Step, to: usize, model: &Model, now_ms: i64) -> i128 {
    let (from, to) = (&model.wallets[step.from], &model.wallets[to]);
    let flat_fee = match &step.verb {
        Verb::Transfer(Some(fee)) | Verb::Hold { fee: Some(fee), .. } => fee.minimum,
        Verb::Payout(Some(fee)) => 2 * fee.minimum,
        _ => 0,
    };
    let units = match step.size {
        Size::Units(units) => units,
        Size::Spendable(more) => (from.balance - from.held - from.floor).max(0) - flat_fee + more,
        Size::Room(more) => to.top() - to.balance + more,
        Size::MaxMovement(more) => from.max_movement.unwrap_or(500) + more,
        Size::LeftToday(more) => from.left_today(now_ms).unwrap_or(500) - flat_fee + more,
        Size::Largest(less) => LARGEST - less,
    };
    match step.verb {
        Verb::Payout(_) => (units / 2).clamp(1, LARGEST / 2),
        _ => units.clamp(1, LARGEST),
    }
}

/// The request that a step stands for now; `None` where there is nothing to repeat or to pay a rebate on.
fn request(step: &Step, model: &Model, asked: &[Request], now_ms: i64) -> Option<Request> {
    let (from, purse) = (step.from, &model.wallets[step.from]);
    let is_fit = |to: usize| to != from && model.wallets[to].code == purse.code;
    let to = match (&step.verb, step.oddity) {
        (Verb::Deposit(_), _) => from,
        (_, Some(Oddity::AnyPair)) => step.to,
        _ => (step.to..WALLETS).chain(0..step.to).find(|to| is_fit(*to)).unwrap_or(step.to),
    };
    let code = match (purse.code, step.oddity) {
        ("EUR", Some(Oddity::WrongCurrency)) => "JPY",
        (_, Some(Oddity::WrongCurrency)) => "EUR",
        (code, _) => code,
    };
    let pin = step.pin.map(|more| purse.version + more);
    let moved = Moved { units: units(step, to, model, now_ms), code, pin };
    let ask = match &step.verb {
        Verb::Deposit(rule) => Ask::Deposit { to: from, moved, rule: *rule },
        Verb::Withdraw => Ask::Withdraw { from, moved },
        Verb::Transfer(fee) => Ask::Transfer { from, to, moved, fee: *fee },
        Verb::Payout(fee) => {
            let next = (0..WALLETS).map(|more| (to + 1 + more) % WALLETS).find(|other| is_fit(*other));
            Ask::Payout { from, to: [to, next.unwrap_or(to)], moved, fee: *fee }
        }
        Verb::Amend(terms) => {
            let version = purse.version + step.pin.unwrap_or(0);
            Ask::Amend { wallet: from, version, terms: terms.clone() }
        }
        Verb::Rebate(nth) => Ask::Rebate { deposit: nth.checked_rem(model.deposits.len())? },
        Verb::Reverse { nth, overdraft, return_fee } => {
            let movement = nth.checked_rem(model.movements.len())?;
            Ask::Reverse { movement, overdraft: *overdraft, return_fee: *return_fee }
        }
        Verb::Settle => return None,
        Verb::Hold { fee, out, lives_ms } => {
            Ask::Hold { from, to: (!out).then_some(to), moved, fee: *fee, lives_ms: *lives_ms }
        }
        Verb::Capture { nth, tenths, is_final } => {
            let hold = nth.checked_rem(model.holds.len())?;
            // A tenth more than there is, at most.
            let units = tenths.map(|tenths| (model.holds[hold].units * tenths / 10).clamp(1, LARGEST));
            Ask::Capture { hold, units, is_final: *is_final }
        }
        Verb::Void(nth) => Ask::Void { hold: nth.checked_rem(model.holds.len())? },
        Verb::Again(nth) => return asked.get(nth.checked_rem(asked.len())?).cloned(),
    };
    let by = match (step.oddity, &ask) {
        (Some(Oddity::By(by)), _) => by,
        (_, Ask::Amend { .. } | Ask::Reverse { .. }) => ADMIN,
        (_, Ask::Capture { hold, .. } | Ask::Void { hold }) => {
            let hold = &model.holds[*hold];
            model.wallets[hold.to.unwrap_or(hold.from)].owner
        }
        _ => purse.owner,
    };
    Some(Request { by, ask, key: asked.len() })
}

/// Runs all steps against model and domain; every step is checked on the way.
fn run(purses: Vec<Purse>, steps: &[Step]) -> Ledger {
    let mut ledger = Ledger::opening(Model { wallets: purses, ..Model::default() }, START_MS);
    let (mut now_ms, mut asked) = (START_MS, vec![]);
    for step in steps {
        now_ms += step.wait_ms;
        if matches!(step.verb, Verb::Settle) {
            ledger.settle(step.from, now_ms);
            ledger.adds_up();
        }
        if let Some(request) = request(step, &ledger.model, &asked, now_ms) {
            ledger.ask(&request, now_ms);
            ledger.adds_up();
            asked.push(request);
        }
    }
    ledger
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_domain_answers_as_the_model_does(
        purses in purses(),
        steps in prop::collection::vec(step(), 1..60),
        (wallet, entry, tampering) in (0..WALLETS, any::<prop::sample::Index>(), 0..TAMPERINGS.len()),
    ) {
        let ledger = run(purses, &steps);
        for (id, statement) in &ledger.statements {
            prop_assert_eq!(flaw(statement, &ledger.stored.wallets[id]), None);
        }
        let (id, statement) = ledger.statements.iter().nth(wallet).expect("every wallet was opened");
        let mut changed = statement.clone();
        TAMPERINGS[tampering](&mut changed[entry.index(statement.len())]);
        prop_assert!(flaw(&changed, &ledger.stored.wallets[id]).is_some());
    }
}
