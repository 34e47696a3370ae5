//! Histories of concurrent clients, checked for linearizability by wallet.
//!
//! Clients deposit, withdraw, transfer and read at once, on processes of their own, over a network that delays, throttles
//! and loses. Each request's invocation and response go on record in the order in which they happened; afterwards a
//! checker looks for one order of all requests on a wallet, true to that record, in which a plain number would have
//! answered the same. A transfer is a debit in its source's history and a credit in its destination's; a rebate is paid
//! unless its deposit was undone, and a reversal takes back a deposit with its rebate, or bars that; a hold keeps money
//! back until one of those who would end it does. A request whose
//! outcome its client never learnt stays pending: the checker may place it anywhere after its invocation, or nowhere.
//!
//! The checker is `stateright`'s `LinearizabilityTester` (MIT): maintained, made for recording real histories as well as
//! modelled ones, knows pending requests, and asks for nothing but a sequential reference object, which here is [`spec`].
//! The crate called `porcupine` is no checker but a wrapper of a windowing library, and ports of the Go checker of that
//! name are not published. Its search is exponential at worst, so histories are kept to what it decides at once: few
//! clients, and answers that name the version, which leave little to guess. `WALLET_FAULT_SEED` replays one seed, as for
//! [`crate::faults`].

mod record;
mod spec;

use stateright::semantics::{ConsistencyTester, LinearizabilityTester};

use record::{Event, histories};
use spec::{Answer, Balance, Request};

use crate::faults::chosen_seed;

/// Seeds that each run tries.
const SEEDS: u64 = 40;

#[test]
fn every_wallet_is_linearizable() {
    let replayed = chosen_seed();
    let first = replayed.unwrap_or_else(|| fastrand::u64(..));
    let seeds = if replayed.is_some() { 1 } else { SEEDS };
    let (mut requests, mut pending, mut wallets) = (0, 0, 0);
    for seed in (0..seeds).map(|number| first.wrapping_add(number)) {
        for (wallet, history) in histories(seed) {
            let tester = tester(&history);
            wallets += 1;
            requests += tester.len();
            pending += open(&history);
            assert!(
                tester.is_consistent(),
                "seed {seed} (WALLET_FAULT_SEED replays it), {wallet}: no order explains {history:#?}"
            );
        }
    }
    println!("{requests} requests in {wallets} histories, {pending} of them pending, from seed {first}");
    let telling = requests > 500 && pending > 0;
    assert!(telling || replayed.is_some(), "{requests} requests, {pending} pending: too quiet to show anything");
}

#[test]
fn the_checker_sees_a_lost_update() {
    let invoked = |client, request| Event::Invoked { client, request };
    let answered = |client, version, balance| Event::Answered { client, answer: Answer::Moved { version, balance } };
    // If both read 0 and wrote their own sum, the first deposit is gone.
    for ((version, balance), read, is_consistent) in [((1, 5), (1, 7), false), ((2, 12), (2, 12), true)] {
        let deposits = [
            invoked(1, Request::Move(5)),
            invoked(2, Request::Move(7)),
            answered(1, version, balance),
            answered(2, 1, 7),
        ];
        let read = asked(3, Request::Read, Answer::Balance { version: read.0, balance: read.1 });
        assert_eq!(tester(&[&deposits[..], &read].concat()).is_consistent(), is_consistent, "{read:?}");
    }
}

#[test]
fn the_checker_sees_a_stale_read_and_a_refusal_that_rests_on_one() {
    let deposit = asked(1, Request::Move(5), Answer::Moved { version: 1, balance: 5 });
    let with = |request, answer| tester(&[deposit, asked(2, request, answer)].concat()).is_consistent();
    assert!(!with(Request::Read, Answer::Balance { version: 0, balance: 0 }));
    assert!(with(Request::Read, Answer::Balance { version: 1, balance: 5 }));
    assert!(!with(Request::Move(-5), Answer::TooLittle));
    assert!(with(Request::Move(-6), Answer::TooLittle));
}

/// What was credited and answered is never refused, whether it is settled by then or not.
#[test]
fn the_checker_sees_a_refusal_for_money_that_waits() {
    let told = |debit, answer| {
        let deposit = asked(1, Request::Move(5), Answer::Done);
        tester(&[deposit, asked(2, Request::Move(debit), answer)].concat()).is_consistent()
    };
    assert!(!told(-5, Answer::TooLittle));
    assert!(told(-5, Answer::Done));
    assert!(told(-6, Answer::TooLittle));
    assert!(!told(-6, Answer::Done));
}

/// Held money is not there for a debit, is released by whoever ends its hold, and is taken once.
#[test]
fn the_checker_sees_held_money_spent_and_a_hold_that_ends_twice() {
    let told = |more: &[(Request, Answer)]| {
        let pay_in = (Request::Move(5), Answer::Moved { version: 1, balance: 5 });
        let hold = (Request::Hold { number: 1, cents: 4 }, Answer::Moved { version: 2, balance: 5 });
        let all = [pay_in, hold].into_iter().chain(more.iter().copied());
        let history: Vec<_> = all.flat_map(|(request, answer)| asked(1, request, answer)).collect();
        tester(&history).is_consistent()
    };
    let (void, take) = (Request::End { hold: 1, cents: 0 }, Request::End { hold: 1, cents: 3 });
    let moved = |version, balance| Answer::Moved { version, balance };
    assert!(!told(&[(Request::Move(-2), moved(3, 3))]));
    assert!(told(&[(Request::Move(-2), Answer::TooLittle)]));
    assert!(told(&[(void, moved(3, 5)), (Request::Move(-2), moved(4, 3))]));
    assert!(told(&[(take, moved(3, 2)), (void, Answer::Ended), (Request::Move(-2), moved(4, 0))]));
    assert!(!told(&[(take, moved(3, 2)), (void, moved(4, 2))]));
}

#[test]
fn a_recorded_history_that_is_tampered_with_is_refused() {
    let tampered = histories(1).into_values().filter_map(|mut history| {
        let moved = history.iter_mut().rev().find_map(|event| match event {
            Event::Answered { answer: Answer::Moved { balance, .. }, .. } => Some(balance),
            _ => None,
        })?;
        *moved += 1;
        Some(history)
    });
    let mut seen = 0;
    for history in tampered {
        seen += 1;
        assert!(!tester(&history).is_consistent(), "{history:#?}");
    }
    assert!(seen > 0);
}

/// A request that nothing else happens beside.
fn asked(client: u32, request: Request, answer: Answer) -> [Event; 2] {
    [Event::Invoked { client, request }, Event::Answered { client, answer }]
}

/// The checker, told a history.
fn tester(history: &[Event]) -> LinearizabilityTester<u32, Balance> {
    let batched = history.iter().any(|event| matches!(event, Event::Answered { answer: Answer::Done, .. }));
    let mut tester = LinearizabilityTester::new(Balance::new(batched));
    for event in history {
        let told = match *event {
            Event::Invoked { client, request } => tester.on_invoke(client, request),
            Event::Answered { client, answer } => tester.on_return(client, answer),
        };
        told.expect("a client has one request at a time");
    }
    tester
}

fn open(history: &[Event]) -> usize {
    let invoked = history.iter().filter(|event| matches!(event, Event::Invoked { .. })).count();
    2 * invoked - history.len()
}
