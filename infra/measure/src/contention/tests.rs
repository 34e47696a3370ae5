//! A tiny run of each kind, with and without the simulated network.

use super::figure::figure;
use super::run::{measure, pair};
use super::*;

#[tokio::test]
async fn tiny_runs_add_up() {
    let slow = Network { delay: Duration::from_millis(2), conflicts: true };
    for (distribution, network) in [
        (Distribution::Uniform, Network::default()),
        (Distribution::Zipf, Network::default()),
        (Distribution::Hot, slow),
    ] {
        for mix in [Mix::Optimistic, Mix::Pessimistic, Mix::Mixed] {
            let setting = Setting { distribution, mix, callers: 4, transfers: 24, wallets: 4, network, seed: 1 };
            let run = measure(setting, || {}).await.expect("every transfer is done and the table adds up");
            assert_eq!((run.done.wallets, run.done.entries, run.latency.len()), (4, 2 * 4 + 2 * 24, 24));
            assert!(run.calls >= 24 && run.write_half_units >= 24 * 20 && run.last_by_first > 0.0);
            let svg = figure(&[run]);
            assert!(svg.contains(&format!("{distribution}, 4 callers, {mix}")), "{svg}");
            assert_eq!(svg.contains("simulated"), network.conflicts);
        }
    }
}

#[test]
fn pairs_are_of_two_wallets_and_as_likely_as_said() {
    let mut rng = fastrand::Rng::with_seed(1);
    for distribution in [Distribution::Uniform, Distribution::Zipf, Distribution::Hot] {
        let mut first = 0;
        for _ in 0..1000 {
            let (source, destination) = pair(&mut rng, distribution, 10);
            assert!(source != destination && source < 10 && destination < 10);
            first += usize::from(destination == 0);
        }
        let expected = match distribution {
            Distribution::Uniform => 50..150,
            Distribution::Zipf => 230..400,
            Distribution::Hot => 1000..1001,
        };
        assert!(expected.contains(&first), "{distribution}: {first}");
    }
}
