//! Which wallet is meant: an id as it is, or a name for the one wallet that its owner has.

use std::str::FromStr;

use serde_json::Value;
use wallet_domain::{Currency, Owner, TransactionId, WalletId};

use super::client::Client;
use super::failure::Failure;
use super::shown::WALLETS;
use super::words::{self, plain};

/// What a word on the command line stands for.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Wallet(WalletId),
    Transaction(TransactionId),
    /// The one wallet of an owner, of those in a currency if he has several.
    Named(Owner, Option<Currency>),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        if text.starts_with("wal_") {
            return text.parse().map(Place::Wallet).map_err(|error: wallet_domain::IdError| error.to_string());
        }
        if text.starts_with("txn_") {
            return text.parse().map(Place::Transaction).map_err(|error: wallet_domain::IdError| error.to_string());
        }
        let (name, currency) = match text.rsplit_once('/') {
            Some((name, code)) => (name, Some(words::currency(code)?)),
            None => (text, None),
        };
        let name: Owner = name.parse().map_err(|error: wallet_domain::TextError| format!("a name {error}"))?;
        Ok(Place::Named(name, currency))
    }
}

impl Client {
    /// The caller's own wallets, oldest first.
    pub(crate) async fn own_wallets(&self) -> Result<Vec<Value>, Failure> {
        self.list("/v1/wallets", &WALLETS, u64::MAX).await
    }

    /// The wallet that is meant, and its currency; without a place the caller's own. `currency` picks from several, and is
    /// taken as it is of a wallet that cannot be read.
    pub(crate) async fn wallet(
        &self,
        place: Option<&Place>,
        currency: Option<Currency>,
    ) -> Result<(WalletId, Currency), Failure> {
        match place {
            Some(Place::Wallet(id)) => {
                let known = match currency {
                    Some(currency) => currency,
                    None => self.currency(*id).await?,
                };
                Ok((*id, known))
            }
            Some(Place::Transaction(id)) => {
                Err(Failure::Unclear(format!("{id} is a transaction, and a wallet is needed")))
            }
            Some(Place::Named(owner, named)) => {
                let wallets = self.wallets_of(owner).await?;
                one(&wallets, owner.as_str(), named.or(currency))
            }
            None => one(&self.own_wallets().await?, "the caller", currency),
        }
    }

    async fn currency(&self, id: WalletId) -> Result<Currency, Failure> {
        match self.get(&format!("/v1/wallets/{id}")).await {
            Ok(wallet) => words::currency(text(&wallet["currency"])).map_err(Failure::Failed),
            Err(Failure::Problem(problem)) if problem["code"] == "wallet_not_found" => Err(Failure::Unclear(format!(
                "the caller may not see {id}, if it is there: say with --currency what it holds"
            ))),
            Err(failure) => Err(failure),
        }
    }

    async fn wallets_of(&self, owner: &Owner) -> Result<Vec<Value>, Failure> {
        if self.caller.as_ref() == Some(owner) {
            return self.own_wallets().await;
        }
        match self.on_behalf(owner)? {
            Some(client) => client.own_wallets().await,
            None => {
                Err(Failure::Unclear(format!("`{owner}` is a name, and a deployment's wallets are told by their ids")))
            }
        }
    }
}

/// The one of `wallets` that holds `currency`, or the only one.
fn one(wallets: &[Value], owner: &str, currency: Option<Currency>) -> Result<(WalletId, Currency), Failure> {
    let fits = |wallet: &&Value| currency.is_none_or(|currency| wallet["currency"] == currency.code());
    let open: Vec<_> = wallets.iter().filter(|wallet| wallet["status"] != "closed").filter(fits).collect();
    let what = currency.map_or_else(|| "wallet".to_owned(), |currency| format!("wallet in {}", currency.code()));
    match open[..] {
        [] => Err(Failure::Unclear(format!("{} has no {what}; `wallet open` opens one", plain(owner)))),
        [wallet] => {
            let failed = |_| Failure::Failed("the API answers with an id that is none".to_owned());
            let id = text(&wallet["id"]).parse().map_err(failed)?;
            Ok((id, words::currency(text(&wallet["currency"])).map_err(Failure::Failed)?))
        }
        _ => {
            let told = open.iter().map(|wallet| format!("\n  {}  {}", text(&wallet["id"]), text(&wallet["currency"])));
            Err(Failure::Unclear(format!(
                "{} has {} of them; say which, by id or as name/EUR:{}",
                plain(owner),
                open.len(),
                told.collect::<String>()
            )))
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
