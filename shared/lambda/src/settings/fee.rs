//! `TRANSFER_FEE`: what a transfer, a payment of a payout or a capture costs, as one JSON object.

use serde::Deserialize;
use wallet_domain::{BasisPoints, FeeSchedule};

use super::json::{JsonSetting, SettingsError};
use crate::json::{Object, Texts};

const TRANSFER_FEE: JsonSetting = JsonSetting {
    variable: "TRANSFER_FEE",
    example: r#"{"basis_points":25,"minimum":{"EUR":"0.10"},"maximum":{"EUR":"5.00"}}, or nothing for no fee"#,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fee {
    basis_points: u32,
    minimum: Option<Texts>,
    maximum: Option<Texts>,
}

pub(super) fn schedule(text: &str) -> Result<FeeSchedule, SettingsError> {
    let Object(fee): Object<Fee> = TRANSFER_FEE.read(text)?;
    let basis_points = BasisPoints::new(fee.basis_points).map_err(|error| TRANSFER_FEE.wrong("basis_points", error))?;
    let minimum = TRANSFER_FEE.bounds("minimum", fee.minimum)?;
    let maximum = TRANSFER_FEE.bounds("maximum", fee.maximum)?;
    FeeSchedule::new(basis_points, minimum, maximum).map_err(|error| TRANSFER_FEE.wrong("minimum", error))
}
