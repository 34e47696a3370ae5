//! A tiny run of each kind, with and without the simulated wire.

use super::*;

async fn run(distribution: Distribution, mix: Mix, wire: Wire) -> Measured {
    let setting = Setting { distribution, mix, callers: 4, transfers: 24, wallets: 4, wire, seed: 1 };
    measure(setting, || {}).await.expect("every transfer is done and the table adds up")
}

#[tokio::test]
async fn tiny_runs_add_up() {
    let slow = Wire { delay: Duration::from_millis(2), conflicts: true };
    for (distribution, wire) in
        [(Distribution::Uniform, Wire::default()), (Distribution::Zipf, Wire::default()), (Distribution::Hot, slow)]
    {
        for mix in [Mix::All(Strategy::Optimistic), Mix::All(Strategy::Pessimistic), Mix::Mixed] {
            let run = run(distribution, mix, wire).await;
            // Of each wallet its opening and its deposit, and two of each transfer.
            assert_eq!(run.checked, Checked { wallets: 4, entries: 2 * 4 + 2 * 24 });
            assert_eq!(run.latency.len(), 24);
            assert!(run.calls >= 24 && run.write_half_units >= 24 * 20);
            let svg = figure(&[run]);
            assert!(svg.contains(&format!("{distribution}, 4 callers, {mix}")), "{svg}");
            assert_eq!(svg.contains("simulated"), wire.conflicts);
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
