//! `wallet resend`: what the audit names as overdue is sent again, from the table: the message that was lost, or not heard.
//!
//! It reads the table and sends the messages that `dispatch` sends, into the queues of a running `wallet up` or of a deployment;
//! it writes nothing to the table. Twice is harmless: a message carries ids alone, and who reads it looks first what has been done.

mod local;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use clap::ValueEnum;
use wallet_audit::{Audit, Check, Finding, Report};
use wallet_dispatch::message;
use wallet_dynamodb::scan::{Key, Scanned};
use wallet_dynamodb::{Fault, Ledger, Usage};
use wallet_messaging::{Message, Place, Sender};

use crate::audit::{Pass, whole};
use crate::console;
use local::Local;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pass: Pass,
    /// Where `up` says that it is ready
    #[arg(long, default_value = "http://127.0.0.1:9000")]
    url: String,
    /// A deployment's queue, as rebate=https://sqs..; settle and requests too, each if something of it is overdue. The stack's
    /// outputs have them
    #[arg(long = "queue-url", value_name = "QUEUE=URL", conflicts_with = "url")]
    queue_urls: Vec<QueueUrl>,
    /// Only list what would be sent
    #[arg(long)]
    dry_run: bool,
}

/// Whose queue a message is for, by the function's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Queue {
    Rebate,
    Settle,
    Requests,
}

impl Queue {
    fn name(self) -> &'static str {
        match self {
            Queue::Rebate => "rebate",
            Queue::Settle => "settle",
            Queue::Requests => "requests",
        }
    }
}

#[derive(Debug, Clone)]
struct QueueUrl(Queue, String);

impl FromStr for QueueUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<QueueUrl, String> {
        let (name, url) = text.split_once('=').ok_or("write it as rebate=https://sqs..")?;
        let queue = <Queue as ValueEnum>::from_str(name, false);
        let queue = queue.map_err(|_| format!("there is no queue `{name}`; there are rebate, settle, requests"))?;
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(format!("`{url}` is no URL of a queue"));
        }
        // Of the three, one is a FIFO queue: the likeliest mix-up is seen.
        if url.ends_with(".fifo") != (queue == Queue::Settle) {
            return Err(format!("`{url}` is not the queue of {name}: that of settle alone ends with .fifo"));
        }
        Ok(QueueUrl(queue, url.to_owned()))
    }
}

pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    let target = &arguments.pass.target;
    let way = match &*arguments.queue_urls {
        _ if arguments.dry_run => None,
        [] => {
            ensure!(
                target.place().is_some(),
                "say with --endpoint where the table of `cargo wallet up` is (its line `dynamodb`), or with --queue-url where \
                     the queues of a deployment are"
            );
            Some(Way::to_local(&arguments.url))
        }
        urls => Some(Way::to_aws(urls).await),
    };
    let ledger = target.connect().await?;
    let audit = arguments.pass.audit(ledger.clone());
    let told = resend(&ledger, audit, way.as_ref()).await;
    console::line(&told.map_err(|error| match error.downcast_ref::<Fault>() {
        Some(fault) => target.unreadable(fault),
        None => error,
    })?);
    Ok(())
}

/// Where messages go.
struct Way {
    sender: Sender,
    /// What the sender knows each queue by.
    queues: BTreeMap<Queue, String>,
}

impl Way {
    fn to_local(url: &str) -> Way {
        let all = Queue::value_variants().iter();
        let queues = all.map(|queue| (*queue, queue.name().to_owned())).collect();
        Way { sender: Sender::by(Arc::new(Local { url: url.to_owned() })), queues }
    }

    async fn to_aws(urls: &[QueueUrl]) -> Way {
        let queues = urls.iter().map(|QueueUrl(queue, url)| (*queue, url.clone())).collect();
        Way { sender: Sender::connect().await, queues }
    }
}

/// Audits, and sends `by` a way what is overdue; without one it is only listed. What there is to be told.
async fn resend(ledger: &Ledger, audit: Audit, by: Option<&Way>) -> Result<String> {
    let report = whole(audit).await?;
    let Mail { messages, told: mut lines } = Mail::of(ledger, &report).await?;
    let unknown = by.and_then(|way| messages.keys().find(|queue| !way.queues.contains_key(queue)));
    if let Some(name) = unknown.map(|queue| queue.name()) {
        bail!("nothing was sent. Something of `{name}` is overdue: say with --queue-url {name}=URL where its queue is");
    }
    let mut count = 0;
    for (queue, messages) in &messages {
        count += messages.len();
        let Some(way) = by else { continue };
        let sent = way.sender.send(Place::Queue(&way.queues[queue]), messages).await;
        let failed: Vec<_> = sent.iter().filter_map(|sent| sent.as_ref().err()).collect();
        if let Some(why) = failed.first() {
            let (left, of, name) = (failed.len(), messages.len(), queue.name());
            bail!(
                "{left} of {of} messages to `{name}` were not sent: {why}\nOnce that is mended, run it again: twice is harmless."
            );
        }
    }
    lines.push(match (count, by) {
        (0, _) => "nothing is overdue that a message could mend".to_owned(),
        (1, None) => "1 message to be sent; none was, in a dry run".to_owned(),
        (_, None) => format!("{count} messages to be sent; none was, in a dry run"),
        (1, Some(_)) => "1 message sent".to_owned(),
        (_, Some(_)) => format!("{count} messages sent"),
    });
    if report.unlisted > 0 {
        lines.push("an audit lists no more than that: run it again for the rest".to_owned());
    }
    Ok(lines.join("\n"))
}

/// What makes the followers see to what is overdue.
#[derive(Default)]
struct Mail {
    messages: BTreeMap<Queue, Vec<Message>>,
    /// A line for each finding: which function is told, and of what.
    told: Vec<String>,
}

impl Mail {
    /// Of what is overdue by the report and, if a message is to follow, in the table as it is now.
    async fn of(ledger: &Ledger, report: &Report) -> Result<Mail, Fault> {
        let overdue: Vec<_> = report.findings.iter().filter(|finding| finding.check == Check::Overdue).collect();
        let keys: HashSet<_> = overdue.iter().filter_map(|finding| key(finding)).collect();
        let found = ledger.look_up(&keys.into_iter().collect::<Vec<_>>(), &mut Usage::default()).await?;
        let occasion = format!("resent-{}", ledger.now().as_millisecond());
        let (mut follows, mut woken) = (HashMap::new(), HashSet::new());
        for item in found {
            match item {
                Scanned::Transaction(deposit) => {
                    let rule = deposit.rule.as_ref().filter(|_| deposit.rebate().is_some());
                    let message =
                        rule.map(|rule| message::rebate(ledger.table(), deposit.id, deposit.wallet, &rule.id));
                    follows
                        .extend(message.map(|message| (Key::Transaction(deposit.id), (Queue::Rebate, Some(message)))));
                }
                Scanned::Queued(queued) => {
                    let id = queued.request.id;
                    let message = message::request(ledger.table(), id);
                    follows.insert(Key::Transaction(id), (Queue::Requests, Some(message)));
                }
                Scanned::Credit(credit) => {
                    let first = woken.insert(credit.wallet);
                    let message = first.then(|| message::settle(ledger.table(), credit.wallet, &occasion));
                    follows.insert(Key::Credit(credit.wallet, credit.transaction), (Queue::Settle, message));
                }
                _ => {}
            }
        }
        let mut mail = Mail::default();
        for finding in overdue {
            let follower = match key(finding).and_then(|key| follows.remove(&key)) {
                Some((queue, message)) => {
                    mail.messages.entry(queue).or_default().extend(message);
                    queue.name()
                }
                // The sweep releases a hold; no message does.
                None => "nobody",
            };
            mail.told.push(format!("{follower:<8}  {finding}"));
        }
        Ok(mail)
    }
}

/// Where the table has what is overdue.
fn key(finding: &Finding) -> Option<Key> {
    let transaction = finding.transaction?;
    Some(finding.wallet.map_or(Key::Transaction(transaction), |wallet| Key::Credit(wallet, transaction)))
}
