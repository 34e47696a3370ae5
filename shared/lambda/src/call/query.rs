//! The query: each route names the parameters that it takes, and no other exists.

use std::collections::BTreeMap;

use lambda_http::aws_lambda_events::query_map::QueryMap;
use wallet_domain::Timestamp;

use crate::problem::Problem;

/// The parameters of a list that takes no others.
pub const PAGING: &[&str] = &["limit", "cursor"];
/// The parameter of a movement: with `true` it is decided and not written.
pub const DRY_RUN: &[&str] = &["dry_run"];
pub(crate) const DEFAULT_LIMIT: u32 = 20;
/// A page of entries is then some 50 KB, far below Lambda's 6 MB.
pub(crate) const MAX_LIMIT: u32 = 100;

#[derive(Debug)]
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    pub(super) fn read(parameters: &QueryMap, known: &[&str]) -> Result<Query, Problem> {
        let mut query = BTreeMap::new();
        for (name, value) in parameters.iter() {
            if !known.contains(&name) {
                let hint = match known {
                    [] => "None is".to_owned(),
                    [one] => format!("`{one}` is"),
                    [others @ .., last] => format!("`{}` and `{last}` are", others.join("`, `")),
                };
                return Err(Problem::malformed(format!("There is no query parameter `{name}`. {hint} known here.")));
            }
            if query.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(Problem::malformed(format!("The query parameter `{name}` is there twice.")));
            }
        }
        Ok(Query(query))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn limit(&self) -> Result<u32, Problem> {
        let Some(text) = self.get("limit") else { return Ok(DEFAULT_LIMIT) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(limit) if digits && (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
            _ => Err(Problem::malformed(format!("`limit` must be a number from 1 to {MAX_LIMIT}."))),
        }
    }

    /// RFC 3339, section 5.6. The library takes more of ISO 8601 than that: fewer parts, and annotations.
    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let digits = text.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte.to_ascii_uppercase() });
        let shape: Vec<u8> = digits.collect();
        let full = shape.starts_with(b"0000-00-00T00:00:00") && !shape.ends_with(b"]");
        let time = text.parse().ok().filter(|_| full);
        let detail = "must be a time of RFC 3339 such as 2026-11-21T03:00:00Z; write the + of an offset as %2B";
        time.map(Some).ok_or_else(|| Problem::malformed(format!("`{name}` {detail}.")))
    }

    pub(super) fn is_dry_run(&self) -> Result<bool, Problem> {
        match self.get("dry_run") {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::malformed("`dry_run` must be `true` or `false`.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, known: &[&str]) -> Result<Query, Problem> {
        Query::read(&query.parse().expect("infallible"), known)
    }

    #[test]
    fn a_limit_is_1_to_100_and_20_unless_said() {
        for (query, limit) in [("", 20), ("limit=1", 1), ("limit=100&cursor=x", 100)] {
            assert_eq!(read(query, PAGING).expect("known").limit().expect("a limit"), limit);
        }
        for bad in ["", "0", "101", "-1", "+5", "1.0", "ten", " 5", "99999999999"] {
            read(&format!("limit={}", bad.replace('+', "%2B")), PAGING).expect("known").limit().expect_err(bad);
        }
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for (query, known, told) in [
            ("limt=5", PAGING, "There is no query parameter `limt`. `limit` and `cursor` are known here."),
            ("limit=5", DRY_RUN, "There is no query parameter `limit`. `dry_run` is known here."),
            ("at=5", &[], "There is no query parameter `at`. None is known here."),
            ("limit=5&limit=6", PAGING, "The query parameter `limit` is there twice."),
        ] {
            assert_eq!(read(query, known).expect_err(query).detail(), told);
        }
    }

    #[test]
    fn a_time_is_of_rfc_3339() {
        let time = |text: &str| read(&format!("at={text}"), &["at"]).expect("known").time("at");
        for good in ["2026-11-21T03:00:00Z", "2026-11-21t04:00:00%2B01:00", "2026-11-21T03:00:00.000000000z"] {
            assert_eq!(time(good).expect(good).expect("a time").as_second(), 1_795_230_000);
        }
        for bad in [
            "",
            "now",
            "2026-11-21",
            "2026-11-21T03:00Z",
            "2026-11-21T03:00:00",
            "2026-11-21T04:00:00+01:00",
            "2026-11-21T03:00:00Z[UTC]",
            "2026-13-21T03:00:00Z",
            "20261121T030000Z",
            "1795230000",
            "-002026-11-21T03:00:00Z",
            "2026-11-21T03:00:00ZZ",
        ] {
            assert_eq!(time(bad).expect_err(bad).code(), crate::problem::Code::MalformedRequest);
        }
    }

    #[test]
    fn a_dry_run_is_said_in_one_way() {
        for (query, expected) in [("", false), ("dry_run=false", false), ("dry_run=true", true)] {
            assert_eq!(read(query, DRY_RUN).expect("known").is_dry_run().expect("a word"), expected);
        }
        for bad in ["dry_run", "dry_run=", "dry_run=1", "dry_run=True", "dry_run=yes"] {
            read(bad, DRY_RUN).expect("known").is_dry_run().expect_err(bad);
        }
    }
}
