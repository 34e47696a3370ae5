//! What a person sees of `up`: the start, and a line per request. Colours only on a terminal.

use std::collections::BTreeMap;
use std::io::Write as _;

use jiff::SignedDuration;
use owo_colors::OwoColorize as _;
use wallet_stack::{REGION, Served, TABLE, clock, token};

use crate::demo::Demo;

/// Of the tokens that are shown: a working day.
const SHOWN_TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(12);

/// A line on stdout. Nobody reading it any more is no reason to stop.
pub(crate) fn line(text: &str) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

pub(crate) fn greet(data: Option<&std::path::Path>) {
    let place = match data {
        Some(path) => format!("data in {}", path.display()),
        None => "in memory: gone when it stops".to_owned(),
    };
    line(&format!("\n{}  {}", "wallet functions".bold(), place.dimmed()));
}

pub(crate) fn show_demo(demo: &Demo) {
    demo.warnings.iter().for_each(|warning| warn(warning));
    line(&format!("\n  {}", demo.summary.dimmed()));
    for wallet in [&demo.alice, &demo.bob, &demo.shop] {
        let money = format!("{:>10} {}", wallet.balance, wallet.currency);
        line(&format!("  {:<6}{}  {}", wallet.owner.bold(), money.green(), wallet.id));
    }
}

/// One command that works as pasted: it moves money if there is a demo, and opens a wallet if not.
pub(crate) fn show_curl(url: &str, demo: Option<&Demo>) {
    let token = token::mint("alice", token::EVERYDAY_SCOPE, SHOWN_TOKEN_LIFE, clock::now())
        .expect("hours from now are within all dates");
    let (what, path, body) = match demo {
        Some(Demo { alice, bob, .. }) => (
            "alice sends bob 5.00; send it twice, and it still moves once",
            "/v1/transfers",
            format!(
                r#"{{"source":"{}","destination":"{}","amount":"5.00","currency":"{}"}}"#,
                alice.id, bob.id, alice.currency
            ),
        ),
        None => ("alice opens a wallet", "/v1/wallets", r#"{"currency":"EUR"}"#.to_owned()),
    };
    line(&format!("\n  {}\n", what.dimmed()));
    line(&format!("curl -sSi -w '\\n' {url}{path} \\"));
    line(&format!("  -H 'authorization: Bearer {token}' \\"));
    line("  -H 'idempotency-key: try-1' -H 'content-type: application/json' \\");
    line(&format!("  -d '{body}'"));
    line(&format!("\n  {}\n", "what happens to alice's money, as it happens".dimmed()));
    line(&format!("curl -sSN {url}/v1/events -H 'authorization: Bearer {token}'"));
    if let Some(Demo { shop, .. }) = demo {
        line(&format!(
            "\n  {}\n",
            "two hundred payments to the shop, many at once; or the console's page of contention".dimmed()
        ));
        line(&format!("seq 200 | xargs -P 16 -I% curl -sS -o /dev/null {url}/v1/wallets/{}/deposits \\", shop.id));
        line("  -H \"authorization: Bearer $(cargo wallet token --sub payers)\" -H 'idempotency-key: many-%' \\");
        line(&format!(
            "  -H 'content-type: application/json' -d '{{\"amount\":\"0.10\",\"currency\":\"{}\"}}'",
            shop.currency
        ));
    }
    line(&format!("\n  {}\n", "other callers: cargo wallet token --sub bob; Ctrl-C stops".dimmed()));
}

/// The console's address, on a line of its own.
pub(crate) fn show_console(url: &str, demo: Option<&Demo>) {
    let owners = demo.map(|demo| [&demo.alice, &demo.bob, &demo.shop].map(|wallet| wallet.owner).join(","));
    line(&format!("console {}", console_address(url, owners.as_deref())));
}

/// The token is in the fragment, which no browser sends.
fn console_address(url: &str, owners: Option<&str>) -> String {
    let token = token::mint("console", &token::SCOPES.join(" "), SHOWN_TOKEN_LIFE, clock::now())
        .expect("hours from now are within all dates");
    let owners = owners.map(|owners| format!("&owners={owners}")).unwrap_or_default();
    format!("{url}/console#token={token}{owners}")
}

/// What functions that run elsewhere need to use the embedded DynamoDB, to be pasted into their shell.
pub(crate) fn show_environment(dynamodb_url: &str, template: &BTreeMap<String, String>) {
    line(&format!("\n  {}\n", "for functions that run elsewhere, such as cargo lambda watch:".dimmed()));
    let mut environment = template.clone();
    let own = [
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", REGION),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_url),
        ("TABLE_NAME", TABLE),
    ];
    environment.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    for (name, value) in environment {
        line(&format!("export {name}='{}'", value.replace('\'', r"'\''")));
    }
    line("");
}

/// A request in a line on stderr: `POST /v1/transfers 201 12 ms`.
pub(crate) fn show_request(served: &Served) {
    let status = served.status.as_str();
    let status = match served.status.as_u16() {
        ..400 => status.green().to_string(),
        400..500 => status.yellow().to_string(),
        _ => status.red().to_string(),
    };
    let took = format!("{} ms", served.took.as_millis());
    let path = served.uri.path();
    let _ = writeln!(anstream::stderr(), "{:<5} {path} {status} {}", served.method, took.dimmed());
}

pub(crate) fn warn(text: &str) {
    let _ = writeln!(anstream::stderr(), "{} {text}", "warning:".yellow().bold());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_console_s_address_has_a_token_of_its_own_in_its_fragment() {
        let address = console_address("http://127.0.0.1:9000", Some("alice,bob"));
        let (page, fragment) = address.split_once('#').expect("a fragment");
        assert_eq!(page, "http://127.0.0.1:9000/console");
        let (token, owners) = fragment.split_once('&').expect("owners");
        assert_eq!(owners, "owners=alice,bob");
        let token = token.strip_prefix("token=").expect("a token");
        let request = axum::http::Request::get("/").header("authorization", format!("Bearer {token}"));
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        for scope in token::SCOPES {
            let claims = wallet_stack::authorize(&parts, scope).expect("it has every scope");
            assert_eq!(claims["sub"], "console");
            let lives = claims["exp"].parse::<i64>().expect("seconds") - clock::now().as_second();
            assert!((SHOWN_TOKEN_LIFE.as_secs() - 60..=SHOWN_TOKEN_LIFE.as_secs()).contains(&lives), "{lives}");
        }
        assert!(!console_address("http://127.0.0.1:9000", None).contains('&'));
    }
}
