//! What was answered, for people and for programs.
//!
//! On a terminal it is a table, with colours unless `NO_COLOR` is set. Elsewhere it is a line per row, tab-separated, without a head.
//! `--json` prints what the API said.

use std::io::IsTerminal as _;

use comfy_table::{Cell, CellAlignment, Color, Table, presets};
use serde_json::{Value, json};

use super::words::plain;
use crate::console;

#[derive(Debug)]
pub(crate) enum Shown {
    /// A wallet, a transaction ..
    One(Value),
    Many(&'static List, Vec<Value>),
}

/// A list of the API's, and what of its items is shown.
#[derive(Debug)]
pub(crate) struct List {
    /// As the API names it.
    pub(crate) name: &'static str,
    /// A column's head, and the field under it.
    columns: &'static [(&'static str, &'static str)],
}

pub(crate) const WALLETS: List = List {
    name: "wallets",
    columns: &[
        ("wallet", "id"),
        ("balance", "balance"),
        ("currency", "currency"),
        ("status", "status"),
        ("version", "version"),
        ("opened", "created_at"),
    ],
};

pub(crate) const ENTRIES: List = List {
    name: "entries",
    columns: &[
        ("version", "version"),
        ("time", "created_at"),
        ("type", "type"),
        ("amount", "amount"),
        ("balance", "balance_after"),
        ("counterparty", "counterparty"),
        ("reference", "reference"),
        ("transaction", "transaction_id"),
    ],
};

pub(crate) const TRANSACTIONS: List = List {
    name: "transactions",
    columns: &[
        ("time", "created_at"),
        ("type", "type"),
        ("status", "status"),
        ("amount", "amount"),
        ("currency", "currency"),
        ("reference", "reference"),
        ("transaction", "id"),
    ],
};

pub(crate) const HOLDS: List = List {
    name: "holds",
    columns: &[
        ("hold", "id"),
        ("status", "status"),
        ("amount", "amount"),
        ("captured", "captured"),
        ("remaining", "remaining"),
        ("currency", "currency"),
        ("destination", "destination"),
        ("expires", "expires_at"),
        ("reference", "reference"),
    ],
};

/// How rows are printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Colours,
    Table,
    Tabs,
}

impl Style {
    pub(crate) fn of_stdout() -> Style {
        match (std::io::stdout().is_terminal(), std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty())) {
            (false, _) => Style::Tabs,
            (true, true) => Style::Table,
            (true, false) => Style::Colours,
        }
    }
}

impl Shown {
    pub(crate) fn print(&self, as_json: bool) {
        let text = if as_json { self.json() } else { self.text(Style::of_stdout()) };
        if !text.is_empty() {
            console::line(&text);
        }
    }

    pub(super) fn json(&self) -> String {
        match self {
            Shown::One(one) => one.to_string(),
            Shown::Many(list, items) => json!({list.name: items}).to_string(),
        }
    }

    pub(super) fn text(&self, style: Style) -> String {
        match self {
            Shown::One(one) => {
                let mut text = pairs(style, one, &["legs", "reason"]);
                if let Some(legs) = one["legs"].as_array().filter(|legs| !legs.is_empty()) {
                    text +=
                        &format!("\n{}", rows(style, &["leg", "amount", "balance", "version"], legs.iter().map(leg)));
                }
                if let Some(why) = one["reason"]["detail"].as_str() {
                    text += &format!("\n{}", plain(why));
                }
                text
            }
            Shown::Many(list, items) => {
                let (heads, names): (Vec<_>, Vec<_>) = list.columns.iter().copied().unzip();
                rows(style, &heads, items.iter().map(|item| fields(item, &names)))
            }
        }
    }
}

fn leg(leg: &Value) -> Vec<String> {
    let who = if leg["account"].is_null() { &leg["wallet_id"] } else { &leg["account"] };
    [vec![told(who)], fields(leg, &["amount", "balance_after", "version_after"])].concat()
}

/// What a value says in a cell.
pub(super) fn told(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => plain(text),
        Value::Object(fields) => {
            let set = fields.iter().filter(|(_, value)| !value.is_null());
            set.map(|(name, value)| format!("{} {}", plain(name), told(value))).collect::<Vec<_>>().join(", ")
        }
        Value::Array(items) => items.iter().map(told).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

pub(super) fn fields(object: &Value, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| told(&object[name])).collect()
}

/// What is read first of a wallet or transaction; the rest follows by its names.
const FIRST: [&str; 11] =
    ["id", "dry_run", "owner", "type", "status", "amount", "balance", "available", "currency", "version", "reference"];

/// A row for each field that says something.
fn pairs(style: Style, object: &Value, but: &[&str]) -> String {
    let fields = object.as_object().into_iter().flatten().filter(|(name, _)| !but.contains(&name.as_str()));
    let mut fields: Vec<_> = fields.map(|(name, value)| [plain(name), told(value)]).collect();
    fields.retain(|[_, text]| !text.is_empty());
    fields.sort_by_key(|[name, _]| FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len()));
    let rows = fields.into_iter().map(Vec::from);
    if style == Style::Tabs { tabs(rows) } else { table(style, None, rows) }
}

pub(super) fn rows(style: Style, head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    if style == Style::Tabs { tabs(rows) } else { table(style, Some(head), rows) }
}

fn tabs(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    rows.into_iter().map(|row| row.join("\t")).collect::<Vec<_>>().join("\n")
}

fn table(style: Style, head: Option<&[&str]>, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if style == Style::Colours {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    if let Some(head) = head {
        table.set_header(head.iter().map(|name| Cell::new(name).fg(Color::DarkGrey)));
    }
    for row in rows {
        table.add_row(row.into_iter().map(cell));
    }
    for (column, name) in table.column_iter_mut().zip(head.unwrap_or_default()) {
        if matches!(*name, "amount" | "balance" | "version" | "captured" | "remaining") {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// Money that goes is red, money that comes is green, and what did not happen is yellow.
fn cell(text: String) -> Cell {
    let is_money =
        text.contains('.') && text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let colour = match text.as_str() {
        "failed" | "frozen" | "closed" | "queued" | "expired" => Some(Color::Yellow),
        _ if is_money && text.starts_with('-') => Some(Color::Red),
        _ if is_money => Some(Color::Green),
        _ => None,
    };
    let cell = Cell::new(text);
    match colour {
        Some(colour) => cell.fg(colour),
        None => cell,
    }
}

#[cfg(test)]
mod tests;
