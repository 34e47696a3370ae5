//! The page's own files, built in. They load nothing from elsewhere, and say so to the browser.

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::routing::get;

/// Everything comes from where the page comes from, and nobody may put it into a frame of his own.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// A file of `page/`, at the same place below `/console/`.
macro_rules! file {
    ($kind:expr, $name:literal) => {
        (concat!("/console/", $name), $kind, include_str!(concat!("../page/", $name)))
    };
}

/// Path, type and content of each file.
const FILES: &[(&str, &str, &str)] = &[
    ("/console", HTML, include_str!("../page/index.html")),
    file!(STYLE, "style.css"),
    file!(STYLE, "vendor/uplot.css"),
    file!(SCRIPT, "api.js"),
    file!(SCRIPT, "chain.js"),
    file!(SCRIPT, "curl.js"),
    file!(SCRIPT, "events.js"),
    file!(SCRIPT, "html.js"),
    file!(SCRIPT, "kinds.js"),
    file!(SCRIPT, "local.js"),
    file!(SCRIPT, "main.js"),
    file!(SCRIPT, "money.js"),
    file!(SCRIPT, "pager.js"),
    file!(SCRIPT, "plot.js"),
    file!(SCRIPT, "problem.js"),
    file!(SCRIPT, "router.js"),
    file!(SCRIPT, "session.js"),
    file!(SCRIPT, "sse.js"),
    file!(SCRIPT, "store.js"),
    file!(SCRIPT, "text.js"),
    file!(SCRIPT, "theme.js"),
    file!(SCRIPT, "ui.js"),
    file!(SCRIPT, "use.js"),
    file!(SCRIPT, "wallets.js"),
    file!(SCRIPT, "vendor/hooks.js"),
    file!(SCRIPT, "vendor/htm.js"),
    file!(SCRIPT, "vendor/preact.js"),
    file!(SCRIPT, "vendor/uplot.js"),
    file!(SCRIPT, "views/audit.js"),
    file!(SCRIPT, "views/contention.js"),
    file!(SCRIPT, "views/enter.js"),
    file!(SCRIPT, "views/feed.js"),
    file!(SCRIPT, "views/fields.js"),
    file!(SCRIPT, "views/health.js"),
    file!(SCRIPT, "views/lists.js"),
    file!(SCRIPT, "views/move.js"),
    file!(SCRIPT, "views/movement.js"),
    file!(SCRIPT, "views/outcome.js"),
    file!(SCRIPT, "views/past.js"),
    file!(SCRIPT, "views/queues.js"),
    file!(SCRIPT, "views/statement.js"),
    file!(SCRIPT, "views/timeline.js"),
    file!(SCRIPT, "views/wallet.js"),
    file!(SCRIPT, "views/wallets.js"),
];

/// Serves the page.
pub(crate) fn router() -> Router {
    FILES.iter().fold(Router::new(), |router, &(path, kind, content)| {
        router.route(path, get(move || async move { file(kind, content) }))
    })
}

fn file(kind: &'static str, content: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 5] = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, content)
}
