//! `REBATE_RULES`: which share of a deposit comes back, as a JSON list. A deposit pins the first rule that is for its
//! currency, time and amount.

use std::sync::Arc;

use serde::Deserialize;
use wallet_domain::{BasisPoints, Currency, Money, RebateTerms, Rounding, Timestamp};

use super::json::{JsonSetting, SettingsError};
use crate::json::{Object, Texts};

/// The rules where none are set: one percent of every deposit comes back.
const DEFAULT: &str = r#"[{"id":"standard","basis_points":100}]"#;

const REBATE_RULES: JsonSetting = JsonSetting {
    variable: "REBATE_RULES",
    example: r#"[{"id":"spring","basis_points":100,"currencies":["EUR"],"valid_from":"2027-03-01T00:00:00Z","valid_until":"2027-06-01T00:00:00Z","minimum_deposit":{"EUR":"5.00"},"minimum":{"EUR":"0.10"},"cap":{"EUR":"20.00"},"monthly_cap":{"EUR":"50.00"},"rounding":"toward_zero"}], or [] for no rebates"#,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    basis_points: u32,
    rounding: Option<String>,
    currencies: Option<Vec<String>>,
    valid_from: Option<String>,
    valid_until: Option<String>,
    minimum_deposit: Option<Texts>,
    minimum: Option<Texts>,
    cap: Option<Texts>,
    monthly_cap: Option<Texts>,
}

pub(super) fn rules(text: Option<&str>) -> Result<Arc<[RebateTerms]>, SettingsError> {
    let text = text.unwrap_or(DEFAULT);
    if text.is_empty() {
        return Ok(Arc::default());
    }
    let rules: Vec<Object<Rule>> = REBATE_RULES.read(text)?;
    let mut all: Vec<RebateTerms> = Vec::new();
    for (index, Object(rule)) in rules.into_iter().enumerate() {
        let id = rule.id.clone();
        let named = |error: SettingsError| error.of(format_args!("rule {id:?}"));
        let terms = rule.terms(&format!("[{index}]")).map_err(named)?;
        if let Some(twin) = all.iter().position(|known| known.id == terms.id) {
            let wrong = format!("`[{twin}]` has the same id; a rebate is named by deposit and rule");
            return Err(named(REBATE_RULES.wrong(&format!("[{index}].id"), wrong)));
        }
        all.push(terms);
    }
    Ok(all.into())
}

impl Rule {
    fn terms(self, place: &str) -> Result<RebateTerms, SettingsError> {
        let at = |field: &str| format!("{place}.{field}");
        let terms = RebateTerms {
            id: self.id.parse().map_err(|error| REBATE_RULES.wrong(&at("id"), error))?,
            basis_points: BasisPoints::new(self.basis_points)
                .map_err(|error| REBATE_RULES.wrong(&at("basis_points"), error))?,
            rounding: self.rounding.map_or(Ok(Rounding::TowardZero), |name| rounding(&at("rounding"), &name))?,
            currencies: self.currencies.map(|codes| currencies(&at("currencies"), &codes)).transpose()?,
            valid_from: self.valid_from.map(|text| time(&at("valid_from"), &text)).transpose()?,
            valid_until: self.valid_until.map(|text| time(&at("valid_until"), &text)).transpose()?,
            minimum_deposit: REBATE_RULES.bounds(&at("minimum_deposit"), self.minimum_deposit)?,
            minimum: REBATE_RULES.bounds(&at("minimum"), self.minimum)?,
            cap: REBATE_RULES.bounds(&at("cap"), self.cap)?,
            monthly_cap: REBATE_RULES.bounds(&at("monthly_cap"), self.monthly_cap)?,
        };
        check(&terms, &at)?;
        Ok(terms)
    }
}

fn rounding(place: &str, name: &str) -> Result<Rounding, SettingsError> {
    let known = Rounding::from_name(name);
    known.ok_or_else(|| {
        REBATE_RULES
            .wrong(place, format!("{name:?} is no rounding: there are \"toward_zero\", \"half_up\" and \"half_even\""))
    })
}

fn time(place: &str, text: &str) -> Result<Timestamp, SettingsError> {
    text.parse().map_err(|_| {
        let instead = "write date, time and offset from UTC as RFC 3339 does, such as \"2027-03-01T00:00:00Z\"";
        REBATE_RULES.wrong(place, format!("{text:?} is no point in time; {instead}"))
    })
}

fn currencies(place: &str, codes: &[String]) -> Result<Vec<Currency>, SettingsError> {
    if codes.is_empty() {
        return Err(REBATE_RULES.wrong(place, "the list is empty, so the rule is for no deposit; leave it out for all"));
    }
    codes.iter().map(|code| code.parse().map_err(|error| REBATE_RULES.wrong(place, error))).collect()
}

/// Refuses terms that can never apply: whoever wrote them meant something else.
fn check(terms: &RebateTerms, at: &impl Fn(&str) -> String) -> Result<(), SettingsError> {
    let is_for = |money: &Money| terms.currencies.as_ref().is_none_or(|list| list.contains(&money.currency()));
    if let (Some(from), Some(until)) = (terms.valid_from, terms.valid_until)
        && until <= from
    {
        let wrong = format!("{until} is not after `valid_from`, {from}, so the rule would never be in force");
        return Err(REBATE_RULES.wrong(&at("valid_until"), wrong));
    }
    for (field, bounds) in [
        ("minimum_deposit", &terms.minimum_deposit),
        ("minimum", &terms.minimum),
        ("cap", &terms.cap),
        ("monthly_cap", &terms.monthly_cap),
    ] {
        if let Some(other) = bounds.all().find(|money| !is_for(money)) {
            let wrong = format!("{other:?}, but {} is not among the rule's `currencies`", other.currency());
            return Err(REBATE_RULES.wrong(&at(field), wrong));
        }
    }
    for minimum in terms.minimum.all() {
        for (field, cap) in [("cap", &terms.cap), ("monthly_cap", &terms.monthly_cap)] {
            if let Some(cap) = cap.get(minimum.currency())
                && cap.minor_units() < minimum.minor_units()
            {
                let wrong = format!("{minimum:?} is above the `{field}` {cap:?}, so nothing would ever be paid");
                return Err(REBATE_RULES.wrong(&at("minimum"), wrong));
            }
        }
    }
    Ok(())
}
