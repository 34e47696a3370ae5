//! The query: `limit` and `cursor` on lists, nothing anywhere else.

use std::collections::BTreeMap;

use lambda_http::aws_lambda_events::query_map::QueryMap;

use crate::problem::Problem;

const PAGING: [&str; 2] = ["limit", "cursor"];
const DEFAULT_LIMIT: u32 = 20;
/// A page of entries is then some 50 KB, far below Lambda's 6 MB.
const MAX_LIMIT: u32 = 100;

#[derive(Debug)]
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    pub(super) fn read(parameters: &QueryMap, is_list: bool) -> Result<Query, Problem> {
        let known: &[&str] = if is_list { &PAGING } else { &[] };
        let mut query = BTreeMap::new();
        for (name, value) in parameters.iter() {
            if !known.contains(&name) {
                let hint = if is_list { "`limit` and `cursor` are known here" } else { "None is known here" };
                return Err(Problem::malformed(format!("There is no query parameter `{name}`. {hint}.")));
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, is_list: bool) -> Result<Query, Problem> {
        Query::read(&query.parse().expect("infallible"), is_list)
    }

    #[test]
    fn a_limit_is_1_to_100_and_20_unless_said() {
        for (query, limit) in [("", 20), ("limit=1", 1), ("limit=100&cursor=x", 100)] {
            assert_eq!(read(query, true).expect("known").limit().expect("a limit"), limit);
        }
        for bad in ["", "0", "101", "-1", "+5", "1.0", "ten", " 5", "99999999999"] {
            read(&format!("limit={}", bad.replace('+', "%2B")), true).expect("known").limit().expect_err(bad);
        }
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for (query, is_list) in [("limt=5", true), ("limit=5", false), ("limit=5&limit=6", true)] {
            let name = query.split('=').next().expect("a name");
            let problem = read(query, is_list).expect_err(query);
            assert!(format!("{problem:?}").contains(&format!("`{name}`")), "{problem:?}");
        }
    }
}
