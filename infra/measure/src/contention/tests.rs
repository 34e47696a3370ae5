//! A tiny run of each kind, with and without the simulated network.

use super::figure::figure;
use super::pairs::pair;
use super::run::measure;
use super::*;

#[tokio::test]
async fn tiny_runs_add_up() {
    let slow = Network { delay: Duration::from_millis(2), conflicts: true };
    for (distribution, network) in [
        (Distribution::Uniform, Network::default()),
        (Distribution::Zipf, Network::default()),
        (Distribution::Hot, slow),
    ] {
        for mix in [Mix::Optimistic, Mix::Pessimistic, Mix::Mixed, Mix::Batched] {
            let (instances, rate) = (None, None);
            let setting =
                Setting { distribution, mix, callers: 4, transfers: 24, instances, rate, wallets: 4, network, seed: 1 };
            let run = measure(setting, || {}).await.expect("every transfer is done and the table adds up");
            assert_eq!((run.done.wallets, run.done.entries, run.latency.len()), (4, 2 * 4 + 2 * 24, 24));
            assert!(run.calls >= 24 && run.write_half_units >= 24 * 20 && run.last_by_first > 0.0);
            let svg = figure(&[run]);
            assert!(svg.contains(&format!("{distribution}, 4 callers, {mix}")), "{svg}");
            assert_eq!(svg.contains("simulated"), network.conflicts);
        }
    }
}

/// Counts, which hold on any machine: what a process writes is read by others, and a snapshot that is mostly stale is not used.
#[tokio::test(flavor = "multi_thread")]
async fn eight_instances_on_two_hundred_wallets_seldom_pay_twice() {
    let (distribution, mix, network) = (Distribution::Uniform, Mix::Optimistic, Network::default());
    let (instances, rate) = (Some(8), None);
    let setting =
        Setting { distribution, mix, callers: 8, transfers: 2_000, instances, rate, wallets: 200, network, seed: 1 };
    let run = measure(setting, || {}).await.expect("every transfer is done and the table adds up");
    let conflicts = run.per_transfer(run.conflicts);
    assert!(conflicts <= 0.10 && run.billed() <= 11.0, "{conflicts} conflicts, {} write units", run.billed());
    assert!(run.cancelled_units > 0 || run.conflicts == 0, "what was cancelled is billed");
}

#[tokio::test(flavor = "multi_thread")]
async fn hot_credits_are_settled_beside_the_callers_at_the_price_of_cold_ones() {
    let network = Network { delay: Duration::from_millis(1), conflicts: true };
    let (distribution, mix) = (Distribution::Hot, Mix::Batched);
    let (instances, rate) = (None, None);
    let setting =
        Setting { distribution, mix, callers: 16, transfers: 600, instances, rate, wallets: 400, network, seed: 1 };
    let run = measure(setting, || {}).await.expect("every transfer is done and the table adds up");
    let batched = run.batched.as_ref().expect("the first wallet's credits are batched");
    assert_eq!((batched.credits, batched.lag.len()), (600, 600));
    assert!(run.per_transfer(run.conflicts) <= 0.10, "{} conflicts", run.conflicts);
    let document = show::json(&[run]);
    assert!(document["runs"][0]["batched"]["answer_to_row_p99_ms"].is_number(), "{document}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tiny_run_over_http_adds_up() {
    let distribution = Distribution::Uniform;
    let setting = over_http::Setting { distribution, callers: 4, transfers: 24, wallets: 4, seed: 1 };
    let run = over_http::measure(setting).await.expect("every transfer is done and the table adds up");
    assert_eq!(
        (run.latency.len(), show::json_over_http(&[run])["runs_over_http"][0]["transfers"].as_u64()),
        (24, Some(24))
    );
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
