//! The measurements as a figure: bars of transfers per second with the other figures beside them. Plain SVG.

use std::fmt::Write as _;

use super::run::{Measured, Mix};

const ROW: usize = 22;
const TOP: usize = 64;
const LEFT: usize = 230;
const BAR: f64 = 300.0;

/// An SVG document.
pub(crate) fn figure(runs: &[Measured]) -> String {
    let most = runs.iter().map(Measured::rate).fold(1.0, f64::max);
    let height = TOP + ROW * runs.len() + 20;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"980\" height=\"{height}\" viewBox=\"0 0 980 {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"15\" font-weight=\"bold\">Transfers per second, embedded database{}</text>\n",
        note(runs)
    );
    let heads = ["p50 ms", "p99 ms", "conflicts", "calls", "billed WCU"];
    for (place, head) in heads.iter().enumerate() {
        text(&mut svg, 640 + 78 * place, 48, "end", head);
    }
    for (row, run) in runs.iter().enumerate() {
        let middle = TOP + ROW * row + 14;
        let setting = run.setting;
        text(&mut svg, LEFT - 8, middle, "end", &setting.to_string());
        let width = (BAR * run.rate() / most).max(1.0);
        let colour = match setting.mix {
            Mix::Optimistic => "#2f6fb0",
            Mix::Pessimistic => "#c2703d",
            Mix::Mixed => "#6d8f3a",
            Mix::Batched => "#7a4fa3",
        };
        let top = middle - 12;
        let _ = writeln!(
            svg,
            "<rect x=\"{LEFT}\" y=\"{top}\" width=\"{width:.1}\" height=\"16\" fill=\"{colour}\"/>\n\
             <text x=\"{:.1}\" y=\"{middle}\">{:.0}</text>",
            LEFT as f64 + width + 5.0,
            run.rate()
        );
        let values = [
            run.latency.value_at_quantile(0.5) as f64 / 1000.0,
            run.latency.value_at_quantile(0.99) as f64 / 1000.0,
            run.per_transfer(run.conflicts),
            run.per_transfer(run.calls),
            run.billed(),
        ];
        for (place, value) in values.iter().enumerate() {
            text(&mut svg, 640 + 78 * place, middle, "end", &format!("{value:.1}"));
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// What of the figures is not measured but modelled.
fn note(runs: &[Measured]) -> String {
    let Some(network) = runs.first().map(|run| run.setting.network) else { return String::new() };
    match (network.delay.as_millis(), network.conflicts) {
        (0, false) => String::new(),
        (delay, false) => format!(" (simulated: {delay} ms per call)"),
        (delay, true) => format!(" (simulated: {delay} ms per call, transactions in flight on one item conflict)"),
    }
}

fn text(svg: &mut String, x: usize, y: usize, anchor: &str, text: &str) {
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>");
}
