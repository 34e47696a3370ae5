//! What was answered, for people and for programs.
//!
//! On a terminal it is a table, with colours unless `NO_COLOR` is set. Elsewhere it is a line per row, tab-separated, without a head.
//! `--json` prints what the API said.

use std::io::IsTerminal as _;

use comfy_table::{Cell, CellAlignment, Color, Table, presets};
use serde_json::{Value, json};

use super::words::plain;
use crate::console;

pub(crate) enum Shown {
    Wallets(Vec<Value>),
    Wallet(Value),
    Transaction(Value),
    Entries(Vec<Value>),
}

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
            Shown::Wallets(wallets) => json!({"wallets": wallets}).to_string(),
            Shown::Entries(entries) => json!({"entries": entries}).to_string(),
            Shown::Wallet(one) | Shown::Transaction(one) => one.to_string(),
        }
    }

    pub(super) fn text(&self, style: Style) -> String {
        match self {
            Shown::Wallets(wallets) => rows(
                style,
                &["wallet", "balance", "currency", "status", "version", "opened"],
                wallets
                    .iter()
                    .map(|one| fields(one, &["id", "balance", "currency", "status", "version", "created_at"])),
            ),
            Shown::Entries(entries) => rows(
                style,
                &["version", "time", "type", "amount", "balance", "counterparty", "reference", "transaction"],
                entries.iter().map(|one| {
                    let names = [
                        "version",
                        "created_at",
                        "type",
                        "amount",
                        "balance_after",
                        "counterparty",
                        "reference",
                        "transaction_id",
                    ];
                    fields(one, &names)
                }),
            ),
            Shown::Wallet(wallet) => pairs(style, wallet, &[]),
            Shown::Transaction(transaction) => {
                let head = pairs(style, transaction, &["legs", "reason"]);
                let legs = transaction["legs"].as_array().map(Vec::as_slice).unwrap_or_default();
                let leg = |leg: &Value| {
                    let who = if leg["account"].is_null() { &leg["wallet_id"] } else { &leg["account"] };
                    [vec![told(who)], fields(leg, &["amount", "balance_after", "version_after"])].concat()
                };
                let legs = rows(style, &["leg", "amount", "balance", "version"], legs.iter().map(leg));
                let why = transaction["reason"]["detail"].as_str().map(|why| format!("\n{}", plain(why)));
                format!("{head}\n{legs}{}", why.unwrap_or_default())
            }
        }
    }
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
        other => other.to_string(),
    }
}

pub(super) fn fields(object: &Value, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| told(&object[name])).collect()
}

/// What is read first of a wallet or transaction; the rest follows by its names.
const FIRST: [&str; 10] =
    ["id", "owner", "type", "status", "amount", "balance", "available", "currency", "version", "reference"];

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
        if matches!(*name, "amount" | "balance" | "version") {
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
        "failed" | "frozen" | "closed" => Some(Color::Yellow),
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
