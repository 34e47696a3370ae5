//! The table that a command reads: which and where, what to do if it cannot be read, and how far the reading is.

use std::io::IsTerminal as _;

use anyhow::{Result, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use wallet_dynamodb::{Fault, Ledger};
use wallet_stack::TABLE;

#[derive(Debug, clap::Args)]
pub(crate) struct Target {
    /// DynamoDB's URL, such as the one that `up` prints; without it, the environment's AWS configuration
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The table
    #[arg(long, value_name = "NAME", env = "TABLE_NAME", default_value = TABLE)]
    pub(crate) table: String,
}

/// Where the environment may name an endpoint: the first that is set counts.
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"];

impl Target {
    pub(crate) async fn connect(&self) -> Result<Ledger> {
        wallet_audit::connect(self.endpoint.as_deref(), &self.table).await.map_err(|message| anyhow!(message))
    }

    /// Where it is, if not in AWS.
    pub(crate) fn place(&self) -> Option<String> {
        let set = |name: &&str| std::env::var(name).ok().filter(|url| !url.is_empty());
        self.endpoint.clone().or_else(|| ENDPOINTS.iter().find_map(set))
    }

    /// What to do about a table that cannot be read.
    pub(crate) fn unreadable(&self, fault: &Fault) -> anyhow::Error {
        anyhow!(explained(&fault.to_string(), &self.table, self.place().as_deref()))
    }
}

/// What to do about a table that cannot be read at the endpoint that is named, or in AWS.
fn explained(fault: &str, table: &str, named: Option<&str>) -> String {
    let asked = match named {
        Some(_) => "",
        None => "no --endpoint is given and AWS_ENDPOINT_URL_DYNAMODB is not set, so AWS itself was asked:\n",
    };
    let place = named.unwrap_or("AWS");
    let line = "the URL of the line `dynamodb` that `cargo wallet up` prints";
    let advice = if fault.contains("ResourceNotFound") {
        format!("there is no table {table:?} at {place}.\nName it with --table.")
    } else if fault.contains("dispatch failure") || fault.contains("timeout") {
        let running = if named.is_some() { "Is it running? " } else { "" };
        format!("{place} cannot be reached.\n{running}For a table on this machine give --endpoint {line}.")
    } else if fault.contains("route_not_found") {
        format!("{place} is the gateway, not the database.\nGive --endpoint {line}.")
    } else {
        format!("table {table:?} at {place} cannot be read")
    };
    format!("{asked}{advice}\n  cause: {fault}")
}

/// On stderr, and nowhere if that is no terminal: how many items were read, of as many as `count` says.
pub(crate) async fn progress(count: impl Future<Output = Option<u64>>) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match count.await {
        Some(count) => (
            ProgressBar::new(count),
            "{bar:30} {percent}%  {human_pos} of about {human_len} items, {per_sec}, {elapsed}",
        ),
        None => (ProgressBar::new_spinner(), "{spinner} {human_pos} items, {per_sec}, {elapsed}"),
    };
    bar.with_style(ProgressStyle::with_template(template).expect("the templates are constants"))
}

#[cfg(test)]
mod tests {
    use super::explained;

    #[track_caller]
    fn check(fault: &str, named: Option<&str>, told: &str) {
        let text = explained(fault, "t", named);
        assert!(text.starts_with(told) && text.ends_with(fault), "{text}");
    }

    #[test]
    fn a_table_that_cannot_be_read_is_told_with_who_was_asked() {
        let url = Some("http://127.0.0.1:9");
        check("Scan: dispatch failure: io error", url, "http://127.0.0.1:9 cannot be reached.\nIs it running?");
        check("Scan: dispatch failure: other", None, "no --endpoint is given and AWS_ENDPOINT_URL_DYNAMODB is not set");
        check("Scan: route_not_found (404)", url, "http://127.0.0.1:9 is the gateway, not the database.");
        check("Scan: ResourceNotFoundException", url, "there is no table \"t\" at http://127.0.0.1:9.");
        check("Scan: AccessDenied", url, "table \"t\" at http://127.0.0.1:9 cannot be read");
    }
}
