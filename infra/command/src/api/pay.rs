//! `wallet pay`: many payees at once, all or none, from the command line or from a CSV file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use csv::{ReaderBuilder, StringRecord, Trim};
use serde_json::json;
use wallet_domain::MAX_PAYMENTS;

use super::client::Client;
use super::failure::Failure;
use super::names::Place;
use super::options::{Source, When, put, reference};
use super::shown::Shown;
use super::words::{Amount, plain};

#[derive(Debug, clap::Args)]
pub(crate) struct Pay {
    /// To whom how much, such as bob=5 carol=7.50
    #[arg(value_name = "WALLET=AMOUNT", required_unless_present = "file", conflicts_with = "file")]
    payments: Vec<Payment>,
    /// A CSV file whose first line is `destination,amount` or `destination,amount,reference`; `-` is standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    when: When,
}

#[derive(Debug, Clone)]
struct Payment {
    payee: Place,
    amount: Amount,
    reference: Option<String>,
}

impl FromStr for Payment {
    type Err = String;

    fn from_str(text: &str) -> Result<Payment, String> {
        let (payee, amount) = text.rsplit_once('=').ok_or("write it as bob=5")?;
        Ok(Payment { payee: payee.parse()?, amount: amount.parse()?, reference: None })
    }
}

impl Pay {
    pub(super) async fn run(self, client: &Client) -> Result<Shown, Failure> {
        let payments = match &self.file {
            Some(file) => read(file)?,
            None if self.payments.len() > MAX_PAYMENTS => {
                let count = self.payments.len();
                return Err(Failure::Unclear(format!("{}, each by a command of its own", too_many(count))));
            }
            None => self.payments,
        };
        let (source, currency) = self.source.wallet(client).await?;
        let mut paid = vec![];
        for Payment { payee, amount, reference } in payments {
            let (destination, _) = client.wallet(Some(&payee), Some(currency)).await?;
            let mut payment = json!({"destination": destination.to_string(), "amount": amount.as_str()});
            put(&mut payment, [("reference", reference)]);
            paid.push(payment);
        }
        let body = json!({"source": source.to_string(), "currency": currency.code(), "payments": paid});
        self.source.post(client, "/v1/payouts", body, self.when).await
    }
}

fn too_many(count: usize) -> String {
    let parts = count.div_ceil(MAX_PAYMENTS);
    format!(
        "these are {count} payments, and a payout has {MAX_PAYMENTS} at most, all or none of them. Make {parts} payouts of it"
    )
}

fn read(file: &Path) -> Result<Vec<Payment>, Failure> {
    if file == Path::new("-") {
        return payments(std::io::stdin().lock()).map_err(|why| Failure::Unclear(format!("standard input: {why}")));
    }
    let named = |why: String| Failure::Unclear(format!("{}: {why}", file.display()));
    payments(File::open(file).map_err(|error| named(error.to_string()))?).map_err(named)
}

fn payments(input: impl Read) -> Result<Vec<Payment>, String> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(input);
    let head = reader.headers().map_err(|error| error.to_string())?.clone();
    let columns = Columns::of(&head)?;
    let (mut payments, mut lines) = (vec![], vec![]);
    for row in reader.records() {
        let row = row.map_err(|error| error.to_string())?;
        let line = row.position().map_or(0, csv::Position::line);
        lines.push(line);
        let payment = columns.payment(&row).map_err(|why| format!("line {line}: {why}"))?;
        payments.push(payment);
    }
    match payments.len() {
        0 => Err("it has no payments".to_owned()),
        1..=MAX_PAYMENTS => Ok(payments),
        count => {
            let first = lines[MAX_PAYMENTS];
            let rest = format!(
                "\n  sed -n '1p;2,{}p' FILE | cargo wallet pay --file - ..\n  sed -n '1p;{first},$p' FILE | ..",
                first - 1
            );
            Err(format!("{}, each with the first line:{rest}", too_many(count)))
        }
    }
}

/// Where the head has what.
struct Columns {
    destination: usize,
    amount: usize,
    reference: Option<usize>,
}

impl Columns {
    fn of(head: &StringRecord) -> Result<Columns, String> {
        let place = |name: &str| head.iter().position(|column| column == name);
        match (place("destination"), place("amount"), place("reference"), head.len()) {
            (Some(destination), Some(amount), reference, count) if count == 2 + usize::from(reference.is_some()) => {
                Ok(Columns { destination, amount, reference })
            }
            _ => {
                let found = plain(&head.iter().collect::<Vec<_>>().join(","));
                Err(format!("line 1: write `destination,amount` or `destination,amount,reference`, not `{found}`"))
            }
        }
    }

    fn payment(&self, row: &StringRecord) -> Result<Payment, String> {
        let cell = |column: usize| row.get(column).unwrap_or_default();
        let (payee, amount) = (cell(self.destination), cell(self.amount));
        let wrong = |name: &str, text: &str, why: String| format!("{name} `{}`: {why}", plain(text));
        let text = self.reference.map(cell).filter(|text| !text.is_empty());
        Ok(Payment {
            payee: payee.parse().map_err(|why| wrong("destination", payee, why))?,
            amount: amount.parse().map_err(|why| wrong("amount", amount, why))?,
            reference: text.map(|text| reference(text).map_err(|why| wrong("reference", text, why))).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests;
