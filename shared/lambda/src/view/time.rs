//! Times as callers see them.

use wallet_domain::Timestamp;

/// RFC 3339 in UTC with milliseconds, which is what the table keeps: `2026-11-21T03:07:00.000Z`.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}
