//! The expressions that the ledger writes: conditions, and updates of whole attributes. Anything else panics.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

/// Attributes by name, as the wire has them.
pub(crate) type Item = Map<String, Value>;

/// A condition or an update, with the names and values that it speaks of.
pub(crate) struct Expression<'a> {
    tokens: Vec<&'a str>,
    names: &'a Value,
    values: &'a Value,
}

impl<'a> Expression<'a> {
    /// The expression that `body` holds under `name`.
    pub(crate) fn of(body: &'a Value, name: &str) -> Option<Expression<'a>> {
        let tokens = tokens(body[name].as_str()?);
        Some(Expression {
            tokens,
            names: &body["ExpressionAttributeNames"],
            values: &body["ExpressionAttributeValues"],
        })
    }

    /// Whether the condition holds for `item`; nothing holds for what isn't there but that it isn't.
    pub(crate) fn holds(&self, item: Option<&Item>) -> bool {
        let mut at = 0;
        let holds = self.any(&mut at, item);
        assert_eq!(at, self.tokens.len(), "understood as far as token {at}: {:?}", self.tokens);
        holds
    }

    fn any(&self, at: &mut usize, item: Option<&Item>) -> bool {
        let mut holds = self.all(at, item);
        while self.took(at, "OR") {
            holds |= self.all(at, item);
        }
        holds
    }

    fn all(&self, at: &mut usize, item: Option<&Item>) -> bool {
        let mut holds = self.one(at, item);
        while self.took(at, "AND") {
            holds &= self.one(at, item);
        }
        holds
    }

    fn one(&self, at: &mut usize, item: Option<&Item>) -> bool {
        if self.took(at, "NOT") {
            return !self.one(at, item);
        }
        if self.took(at, "(") {
            let holds = self.any(at, item);
            self.take(at, ")");
            return holds;
        }
        let first = self.next(at);
        if self.took(at, "(") {
            let value = self.operand(self.next(at), item);
            let holds = match first {
                "attribute_not_exists" => value.is_none(),
                "attribute_exists" => value.is_some(),
                "begins_with" => {
                    self.take(at, ",");
                    let start = self.operand(self.next(at), item).expect("a value");
                    let start = start["S"].as_str().expect("a text");
                    value.is_some_and(|value| value["S"].as_str().is_some_and(|text| text.starts_with(start)))
                }
                other => panic!("the table in memory knows no {other}"),
            };
            self.take(at, ")");
            return holds;
        }
        let left = self.operand(first, item);
        let comparison = self.next(at);
        let compared = |right: &str| Some(compare(left?, self.operand(right, item)?));
        let right = self.next(at);
        match comparison {
            "=" => compared(right) == Some(Ordering::Equal),
            "<" => compared(right) == Some(Ordering::Less),
            ">" => compared(right) == Some(Ordering::Greater),
            "<=" => compared(right).is_some_and(Ordering::is_le),
            ">=" => compared(right).is_some_and(Ordering::is_ge),
            "<>" => compared(right) != Some(Ordering::Equal),
            "BETWEEN" => {
                self.take(at, "AND");
                let highest = self.next(at);
                compared(right).is_some_and(Ordering::is_ge) && compared(highest).is_some_and(Ordering::is_le)
            }
            other => panic!("the table in memory knows no {other}"),
        }
    }

    /// `item` after the update; every value is of the item as it was.
    pub(crate) fn updated(&self, item: Item) -> Item {
        let (mut after, mut at, mut clause) = (item.clone(), 0, "");
        while at < self.tokens.len() {
            if ["SET", "REMOVE"].contains(&self.tokens[at]) {
                clause = self.next(&mut at);
            }
            let name = self.name(self.next(&mut at)).to_owned();
            if clause == "REMOVE" {
                after.remove(&name);
            } else {
                self.take(&mut at, "=");
                let mut value = self.operand(self.next(&mut at), Some(&item)).expect("a value to set").clone();
                for (sign, factor) in [("+", 1), ("-", -1)] {
                    if self.took(&mut at, sign) {
                        value = plus(&value, self.operand(self.next(&mut at), Some(&item)).expect("a number"), factor);
                    }
                }
                after.insert(name, value);
            }
            self.took(&mut at, ",");
        }
        after
    }

    fn name(&self, token: &'a str) -> &'a str {
        if token.starts_with('#') { self.names[token].as_str().expect("a name for each placeholder") } else { token }
    }

    fn operand<'i>(&'i self, token: &'a str, item: Option<&'i Item>) -> Option<&'i Value> {
        if token.starts_with(':') { Some(&self.values[token]) } else { item?.get(self.name(token)) }
    }

    fn next(&self, at: &mut usize) -> &'a str {
        *at += 1;
        self.tokens.get(*at - 1).copied().expect("an expression that is whole")
    }

    fn took(&self, at: &mut usize, token: &str) -> bool {
        let took = self.tokens.get(*at) == Some(&token);
        *at += usize::from(took);
        took
    }

    fn take(&self, at: &mut usize, token: &str) {
        assert!(self.took(at, token), "no {token:?} at {at} of {:?}", self.tokens);
    }
}

fn tokens(mut text: &str) -> Vec<&str> {
    let mut tokens = vec![];
    loop {
        text = text.trim_start();
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '#' | ':');
        let end = match text.find(|c| !word(c)) {
            _ if text.is_empty() => return tokens,
            Some(0) if text.starts_with("<=") || text.starts_with(">=") || text.starts_with("<>") => 2,
            Some(0) => 1,
            Some(end) => end,
            None => text.len(),
        };
        tokens.push(&text[..end]);
        text = &text[end..];
    }
}

fn compare(left: &Value, right: &Value) -> Ordering {
    match (left["N"].as_str(), right["N"].as_str()) {
        (Some(left), Some(right)) => {
            let ((left, scale), (right, other)) = (decimal(left), decimal(right));
            let widest = scale.max(other);
            (left * 10_i128.pow(widest - scale)).cmp(&(right * 10_i128.pow(widest - other)))
        }
        _ => {
            // Of binary values only whether they are equal is asked.
            let kind = if left["B"].is_null() { "S" } else { "B" };
            let text = |value: &'_ Value| value[kind].as_str().expect("a text, or a number, or bytes").to_owned();
            text(left).cmp(&text(right))
        }
    }
}

fn plus(left: &Value, right: &Value, factor: i128) -> Value {
    let number = |value: &Value| decimal(value["N"].as_str().expect("a number"));
    let ((left, scale), (right, other)) = (number(left), number(right));
    let widest = scale.max(other);
    let sum = left * 10_i128.pow(widest - scale) + factor * right * 10_i128.pow(widest - other);
    json!({ "N": written(sum, widest) })
}

/// A decimal as an integer and the digits of it behind the point.
fn decimal(text: &str) -> (i128, u32) {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}").parse().expect("a decimal without an exponent");
    (digits, u32::try_from(fraction.len()).expect("few digits"))
}

fn written(digits: i128, scale: u32) -> String {
    let divisor = 10_u128.pow(scale);
    let (sign, size) = (if digits < 0 { "-" } else { "" }, digits.unsigned_abs());
    let width = scale as usize;
    match width {
        0 => format!("{sign}{size}"),
        _ => shortest(&format!("{sign}{}.{:0width$}", size / divisor, size % divisor)),
    }
}

/// Without the zeros behind the point that say nothing.
pub(crate) fn shortest(number: &str) -> String {
    let short = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}
