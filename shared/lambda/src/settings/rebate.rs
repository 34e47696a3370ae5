//! `REBATE_RULES`: which share of a deposit comes back, as a JSON list. A deposit pins the first rule that is for its
//! currency.

use std::collections::BTreeMap;

use serde::Deserialize;
use wallet_domain::{BasisPoints, Currency, Money, RebateTerms};

use super::{JsonSetting, SettingsError};
use crate::json::Object;

/// What is in force where nothing is set: one percent of every deposit.
const DEFAULT: &str = r#"[{"id":"standard","basis_points":100}]"#;

const REBATE_RULES: JsonSetting = JsonSetting {
    variable: "REBATE_RULES",
    example: r#"[{"id":"standard","basis_points":100,"currencies":["EUR"],"minimum":{"EUR":"0.10"},"cap":{"EUR":"20.00"}}], or [] for no rebates"#,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    basis_points: u32,
    currencies: Option<Vec<String>>,
    minimum: Option<Object<BTreeMap<String, String>>>,
    cap: Option<Object<BTreeMap<String, String>>>,
}

pub(super) fn rules(text: Option<&str>) -> Result<Vec<RebateTerms>, SettingsError> {
    let text = text.unwrap_or(DEFAULT);
    if text.is_empty() {
        return Ok(vec![]);
    }
    let rules: Vec<Object<Rule>> = REBATE_RULES.read(text)?;
    let mut all: Vec<RebateTerms> = Vec::new();
    for (index, Object(rule)) in rules.into_iter().enumerate() {
        let terms = rule.terms(&format!("[{index}]"))?;
        if all.iter().any(|known| known.id == terms.id) {
            return Err(REBATE_RULES.wrong(&format!("[{index}].id"), format!("{:?} is there twice", terms.id)));
        }
        all.push(terms);
    }
    Ok(all)
}

impl Rule {
    fn terms(self, place: &str) -> Result<RebateTerms, SettingsError> {
        let at = |field: &str| format!("{place}.{field}");
        let terms = RebateTerms {
            id: self.id.parse().map_err(|error| REBATE_RULES.wrong(&at("id"), error))?,
            basis_points: BasisPoints::new(self.basis_points)
                .map_err(|error| REBATE_RULES.wrong(&at("basis_points"), error))?,
            currencies: self.currencies.map(|codes| currencies(&at("currencies"), &codes)).transpose()?,
            minimum: REBATE_RULES.bounds(&at("minimum"), self.minimum)?,
            cap: REBATE_RULES.bounds(&at("cap"), self.cap)?,
        };
        check(&terms, &at)?;
        Ok(terms)
    }
}

fn currencies(place: &str, codes: &[String]) -> Result<Vec<Currency>, SettingsError> {
    if codes.is_empty() {
        return Err(REBATE_RULES.wrong(place, "the list is empty, so the rule is for no deposit; leave it out for all"));
    }
    codes.iter().map(|code| code.parse().map_err(|error| REBATE_RULES.wrong(place, error))).collect()
}

/// Refuses terms that can never apply: they are a slip of the pen.
fn check(terms: &RebateTerms, at: &impl Fn(&str) -> String) -> Result<(), SettingsError> {
    let is_for = |money: &Money| terms.currencies.as_ref().is_none_or(|list| list.contains(&money.currency()));
    for (field, bounds) in [("minimum", &terms.minimum), ("cap", &terms.cap)] {
        if let Some(other) = bounds.all().find(|money| !is_for(money)) {
            let wrong = format!("the rule is not for {}", other.currency());
            return Err(REBATE_RULES.wrong(&at(field), wrong));
        }
    }
    for minimum in terms.minimum.all() {
        if let Some(cap) = terms.cap.get(minimum.currency())
            && cap.minor_units() < minimum.minor_units()
        {
            let wrong = format!("{minimum:?} is above the cap {cap:?}, so nothing would ever be paid");
            return Err(REBATE_RULES.wrong(&at("minimum"), wrong));
        }
    }
    Ok(())
}
