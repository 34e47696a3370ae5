//! The table to audit: the environment's AWS, or an endpoint by URL.

use std::net::IpAddr;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use wallet_dynamodb::Ledger;
use wallet_dynamodb::aws_sdk_dynamodb::Client;
use wallet_dynamodb::aws_sdk_dynamodb::config::{Config, Credentials, Region};

/// A page of a scan is 1 MB; a busy machine may take seconds over it.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A ledger on `table` of the environment's AWS, or at `endpoint`. An endpoint on this machine needs no credentials.
///
/// # Errors
/// When `endpoint` is no `http` or `https` URL with a host.
pub async fn connect(endpoint: Option<&str>, table: &str) -> Result<Ledger, String> {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(CALL_TIMEOUT).connect_timeout(CONNECT_TIMEOUT);
    let timeouts = timeouts.build();
    let Some(endpoint) = endpoint else {
        let config = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).load().await;
        return Ok(Ledger::new(Client::new(&config), table));
    };
    let client = if is_loopback(endpoint)? {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "wallet-audit"))
            .timeout_config(timeouts)
            .endpoint_url(endpoint);
        Client::from_conf(config.build())
    } else {
        let config = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).endpoint_url(endpoint);
        Client::new(&config.load().await)
    };
    Ok(Ledger::new(client, table))
}

fn is_loopback(endpoint: &str) -> Result<bool, String> {
    let wrong = || format!("{endpoint:?} is no endpoint; use a URL such as http://127.0.0.1:8000");
    let url: http::Uri = endpoint.parse().map_err(|_| wrong())?;
    let host = url.host().filter(|_| matches!(url.scheme_str(), Some("http" | "https"))).ok_or_else(wrong)?;
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    Ok(host == "localhost" || address.is_ok_and(|address| address.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_this_machine_needs_no_credentials() {
        for local in ["http://127.0.0.1:8000", "http://localhost:1", "http://[::1]:8000", "http://127.9.9.9"] {
            assert_eq!(is_loopback(local), Ok(true), "{local}");
        }
        assert_eq!(is_loopback("https://dynamodb.eu-west-1.amazonaws.com"), Ok(false));
        assert_eq!(is_loopback("http://localhost.example.com"), Ok(false));
        for wrong in ["", "8000", "127.0.0.1:8000", "ftp://localhost", "/path"] {
            assert!(is_loopback(wrong).is_err(), "{wrong}");
        }
    }
}
