//! One run: the wallets, the payers, and what they come to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::SignedDuration;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;
use wallet_measure::Caller;
use wallet_stack::{clock, token};

use crate::trail::{Followed, Trail};

/// Whose wallets these are.
const OWNER: &str = "contention";
/// Longer than any run: 5,000 movements at 20 a second.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// Openings under way at once: the gateway answers sixteen.
const OPENINGS: usize = 16;
/// Payments of one payout.
const PAYMENTS: usize = 48;
/// How often the paid wallet is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long the last credits may wait to be settled: their message may have to come again, after its visibility time-out.
const PATIENCE: Duration = Duration::from_secs(120);

/// How the payers' requests meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Strategy {
    Optimistic,
    Pessimistic,
    Batched,
}

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    pub(super) payers: u32,
    pub(super) movements: u32,
    strategy: Strategy,
}

pub(super) struct Run {
    caller: Caller,
    trail: Arc<Trail>,
    asked: Asked,
    /// Its keys begin with it: no run repeats another's requests.
    name: String,
    start: OnceLock<Instant>,
    next: AtomicU64,
    done: AtomicU64,
    repeated: AtomicU64,
    settled: AtomicU64,
}

impl Run {
    pub(super) fn new(api: Router, trail: Arc<Trail>, asked: Asked) -> Run {
        let token = token::mint(OWNER, &token::SCOPES.join(" "), TOKEN_LIFE, clock::now());
        let caller = Caller::of_gateway(api, token.expect("an hour from now is within all dates"));
        let (name, start) = (Uuid::new_v4().to_string(), OnceLock::new());
        let zero = || AtomicU64::new(0);
        let (next, done, repeated, settled) = (zero(), zero(), zero(), zero());
        Run { caller, trail, asked, name, start, next, done, repeated, settled }
    }

    /// How far it is.
    pub(super) fn progress(&self) -> Value {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (done, elapsed) = (of(&self.done), self.start.get().map(Instant::elapsed).unwrap_or_default());
        json!({
            "done": done,
            "conflicts": if self.start.get().is_some() { self.trail.conflicts() } else { 0 },
            "repeated": of(&self.repeated),
            "settled": if self.asked.strategy == Strategy::Batched { of(&self.settled) } else { done },
            "elapsed_ms": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Opens the wallets, lets everybody pay, and says what has come of it.
    pub(super) async fn go(self: Arc<Run>) -> Result<Value> {
        let credits = if self.asked.strategy == Strategy::Batched { "batched" } else { "immediate" };
        let paid = self.open("paid", &json!({"currency": "EUR", "credits": credits})).await?;
        let payers = self.payers().await.context("the payers could not be given money")?;
        self.trail.follow(Followed { caller: OWNER.to_owned(), wallet: paid.clone() });
        let _ = self.start.set(Instant::now());
        let mut work = JoinSet::new();
        for payer in payers {
            work.spawn(Arc::clone(&self).pay(payer, paid.clone()));
        }
        let all_paid = async {
            while let Some(ended) = work.join_next().await {
                ended.context("a payer panicked")??;
            }
            anyhow::Ok(())
        };
        let looking = async {
            loop {
                self.look(&paid).await?;
                sleep(LOOK).await;
            }
        };
        tokio::select! {
            ended = all_paid => ended?,
            failed = looking => { let failed: Result<()> = failed; failed? }
        }
        let found = timeout(PATIENCE, self.settled(&paid)).await.context("not all credits were settled in time")??;
        let expected = cents(self.asked.movements);
        let mut told = self.progress();
        told["wallet_id"] = paid.into();
        told["adds_up"] = (found.parse() == Ok(expected)).into();
        told["expected"] = expected.to_string().into();
        told["found"] = found.into();
        Ok(told)
    }

    /// Wallets with enough in each to make all payments.
    async fn payers(&self) -> Result<Vec<String>> {
        let body = json!({"currency": "EUR"});
        let open = |number| {
            let (name, body) = (format!("payer {number}"), &body);
            async move { self.open(&name, body).await }
        };
        let payers: Vec<_> = stream::iter(0..self.asked.payers).map(open).buffered(OPENINGS).try_collect().await?;
        let source = self.open("source", &body).await?;
        let (each, path) = (cents(self.asked.movements), format!("/v1/wallets/{source}/deposits"));
        let all = (each * Decimal::from(self.asked.payers)).to_string();
        self.post(&path, "deposit", &json!({"amount": all, "currency": "EUR"})).await?;
        for (number, payers) in payers.chunks(PAYMENTS).enumerate() {
            let payment = |payer| json!({"destination": payer, "amount": each.to_string()});
            let payments: Vec<_> = payers.iter().map(payment).collect();
            let body = json!({"source": source, "currency": "EUR", "payments": payments});
            self.post("/v1/payouts", &format!("payout {number}"), &body).await?;
        }
        Ok(payers)
    }

    /// Pays for as long as there is something to pay.
    async fn pay(self: Arc<Run>, payer: String, paid: String) -> Result<()> {
        let mut body = json!({"source": payer, "destination": paid, "amount": "0.01", "currency": "EUR"});
        if self.asked.strategy != Strategy::Batched {
            body["locking_strategy"] = json!(self.asked.strategy);
        }
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= u64::from(self.asked.movements) {
                return Ok(());
            }
            self.post("/v1/transfers", &format!("transfer {number}"), &body).await?;
            self.done.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn open(&self, name: &str, body: &Value) -> Result<String> {
        let opened = self.post("/v1/wallets", name, body).await?;
        Ok(opened["id"].as_str().context("an opening is answered with the wallet's id")?.to_owned())
    }

    async fn post(&self, path: &str, name: &str, body: &Value) -> Result<Value> {
        let (answer, repeated) = self.caller.post(path, &format!("{} {name}", self.name), body).await?;
        self.repeated.fetch_add(repeated.all(), Ordering::Relaxed);
        Ok(answer)
    }

    /// What is in the wallet that is paid once nothing waits in its inbox.
    async fn settled(&self, paid: &str) -> Result<String> {
        loop {
            let wallet = self.look(paid).await?;
            let incoming = &wallet["incoming"];
            if incoming.is_null() || (incoming["count"] == 0 && incoming["complete"] == true) {
                return Ok(wallet["balance"].as_str().context("a wallet has a balance")?.to_owned());
            }
            sleep(LOOK).await;
        }
    }

    /// The wallet that is paid: its balance is what was settled.
    async fn look(&self, paid: &str) -> Result<Value> {
        let wallet = self.caller.get(&format!("/v1/wallets/{paid}")).await?;
        let balance: Decimal = wallet["balance"].as_str().context("a wallet has a balance")?.parse()?;
        let settled = u64::try_from(balance * Decimal::ONE_HUNDRED).ok();
        ensure!(settled.is_some(), "the wallet that is paid has {balance}");
        self.settled.store(settled.unwrap_or_default(), Ordering::Relaxed);
        Ok(wallet)
    }
}

/// So many payments of 0.01.
fn cents(payments: u32) -> Decimal {
    Decimal::new(payments.into(), 2)
}
