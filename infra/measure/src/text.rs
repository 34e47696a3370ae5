//! What a person sees of a measurement: lines on stdout, progress on stderr.

use std::fmt::Display;
use std::io::Write as _;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};

/// A line on stdout. Nobody reading it any more is no reason to stop.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// A table in Markdown whose columns, from the `numbers`th on, are aligned to the right.
pub(crate) fn table<const N: usize>(
    head: [&str; N],
    numbers: usize,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(head);
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(numbers) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A bar of `length` steps; it hides itself where stderr is no terminal.
pub(crate) fn progress(what: impl Into<String>, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:36} {wide_bar} {pos}/{len} {per_sec} {eta}");
    ProgressBar::new(length).with_style(style.expect("the template is well-formed")).with_message(what.into())
}

/// A histogram of microseconds.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are allowed")
}

pub(crate) fn ms(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1000.0)
}

/// The number of microseconds as milliseconds.
pub(crate) fn micros(micros: u64) -> String {
    ms(Duration::from_micros(micros))
}
