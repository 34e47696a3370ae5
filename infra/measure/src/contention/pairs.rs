//! Which two wallets a transfer is between.

use std::fmt;

use clap::ValueEnum;

/// Which wallets the transfers are between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Distribution {
    /// Any two wallets
    Uniform,
    /// Any two wallets, the nth with a weight of 1/n
    Zipf,
    /// From any wallet to the first
    Hot,
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.to_possible_value().expect("none is skipped").get_name())
    }
}

/// Two wallets, by their place.
pub(crate) fn pair(rng: &mut fastrand::Rng, distribution: Distribution, wallets: usize) -> (usize, usize) {
    if distribution == Distribution::Hot {
        return (rng.usize(1..wallets), 0);
    }
    let mut one = || match distribution {
        Distribution::Zipf => zipf(rng, wallets),
        _ => rng.usize(..wallets),
    };
    let source = one();
    loop {
        let destination = one();
        if destination != source {
            return (source, destination);
        }
    }
}

fn zipf(rng: &mut fastrand::Rng, wallets: usize) -> usize {
    let weights = || (1..=wallets).map(|place| 1_000_000_000 / place);
    let mut left = rng.usize(..weights().sum::<usize>());
    for (place, weight) in weights().enumerate() {
        if left < weight {
            return place;
        }
        left -= weight;
    }
    unreachable!("the weights sum to more than was drawn")
}
