//! `wallet watch`: `GET /v1/events` of a stack on this machine, a line per movement. A deployment has its event bus instead.
//!
//! A connection that breaks off is made anew, and goes on after the last event that came; until Ctrl-C. The format:
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>.

use std::time::Duration;

use aws_smithy_types::byte_stream::ByteStream;
use owo_colors::OwoColorize as _;
use serde_json::Value;

use super::client::{Client, Request};
use super::failure::Failure;
use super::shown::{Shown, Style, fields};
use crate::console;

/// Before a connection that broke off is made anew.
const PAUSE: Duration = Duration::from_secs(1);
/// An event has some 400 bytes; a stream without an end of line is none.
const LONGEST_LINE_BYTES: usize = 64 * 1024;

#[derive(Debug, clap::Args)]
pub(crate) struct Watch {}

pub(super) async fn follow(client: &Client, mut each: impl FnMut(&Value)) -> Result<Shown, Failure> {
    let mut events = Events::default();
    loop {
        let mut request = Request::get("/v1/events");
        request.headers.extend(events.last_id.clone().map(|id| ("last-event-id", id)));
        let answer = client.send(request, None).await?;
        if answer.status != 200 {
            return Err(refused(answer.status));
        }
        let mut body = ByteStream::new(answer.body);
        while let Ok(Some(bytes)) = body.try_next().await {
            for event in events.read(&bytes)? {
                each(&event);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A movement on stdout.
pub(super) fn print(event: &Value, json: bool) {
    console::line(&if json { event.to_string() } else { told(event) });
}

fn refused(status: u16) -> Failure {
    Failure::Failed(match status {
        404 => "a deployment's movements come over its event bus: docs/events.md".to_owned(),
        401 | 403 => "the token is not good for wallets:read".to_owned(),
        other => format!("the events are not to be had: {other}"),
    })
}

fn told(event: &Value) -> String {
    let names =
        ["created_at", "type", "status", "amount", "currency", "wallet_id", "counterparty", "code", "transaction_id"];
    let told = fields(event, &names);
    match Style::of_stdout() {
        Style::Tabs => told.join("\t"),
        style => {
            let [at, kind, status, amount, currency, wallet, other, code, _] = told.as_slice() else {
                return told.join(" ");
            };
            let line = format!("{at}  {kind:<10} {amount:>12} {currency}  {wallet}  {other}");
            match (style, status.as_str()) {
                (_, "posted") => line,
                (Style::Colours, _) => format!("{line}  {}", format!("{status}: {code}").yellow()),
                _ => format!("{line}  {status}: {code}"),
            }
        }
    }
}

/// A stream of server-sent events, read piece by piece.
#[derive(Default)]
struct Events {
    /// Bytes of a line that has not ended yet.
    line: Vec<u8>,
    data: String,
    id: Option<String>,
    /// Of the last event that was whole.
    last_id: Option<String>,
}

impl Events {
    /// The events that are whole with these bytes.
    fn read(&mut self, bytes: &[u8]) -> Result<Vec<Value>, Failure> {
        let mut whole = vec![];
        for byte in bytes {
            match byte {
                b'\n' => whole.extend(self.line()?),
                b'\r' => {}
                byte if self.line.len() < LONGEST_LINE_BYTES => self.line.push(*byte),
                _ => return Err(Failure::Failed("what comes is no stream of events".to_owned())),
            }
        }
        Ok(whole)
    }

    fn line(&mut self) -> Result<Option<Value>, Failure> {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        if let Some(data) = line.strip_prefix("data:") {
            self.data += data.trim_start();
        } else if let Some(id) = line.strip_prefix("id:") {
            self.id = Some(id.trim().to_owned());
        } else if line.is_empty() && !self.data.is_empty() {
            let event = serde_json::from_str(&std::mem::take(&mut self.data));
            self.last_id = self.id.take().or(self.last_id.take());
            return event.map(Some).map_err(|_| Failure::Failed("an event is no JSON".to_owned()));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::testing::{done, started};

    #[test]
    fn events_come_whole_however_they_are_cut() {
        let stream = b": alive\n\nid: 7\nevent: wallet.transaction\ndata: {\"a\": 1}\n\nid: 8\r\ndata: {\"a\":\ndata: 2}\r\n\r\nid: 9\ndata: {";
        for piece in [1, 2, 7, stream.len()] {
            let mut events = Events::default();
            let read: Vec<_> = stream.chunks(piece).flat_map(|bytes| events.read(bytes).expect("events")).collect();
            assert_eq!(
                (read, events.last_id.as_deref()),
                (vec![json!({"a": 1}), json!({"a": 2})], Some("8")),
                "{piece}"
            );
        }
        assert_eq!(Events::default().read(&vec![b'x'; LONGEST_LINE_BYTES + 1]).expect_err("no events").number(), 1);
    }

    #[tokio::test]
    async fn movements_are_followed_as_they_come() {
        let stack = started(&["alice"]).await;
        let client = Client::with(Some("alice".parse().expect("an owner")), stack.url(), None).expect("a client");
        let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
        let following =
            tokio::spawn(async move { follow(&client, |event| drop(sender.send(event.clone()))).await.err() });
        let event = async {
            loop {
                done(stack.url(), "deposit 2.50 --as alice").await;
                if let Ok(Some(event)) = tokio::time::timeout(Duration::from_millis(200), seen.recv()).await {
                    return event;
                }
            }
        };
        let event: Value = tokio::time::timeout(Duration::from_secs(10), event).await.expect("in time");
        assert_eq!(
            (&event["type"], &event["amount"], &event["status"]),
            (&json!("deposit"), &json!("2.5"), &json!("posted"))
        );
        following.abort();
        stack.stop().await;
    }
}
