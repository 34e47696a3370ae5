//! Visibility, receive counts, dead letters and the checkpoint, with time as an argument.

use std::path::Path;
use std::time::Duration;

use super::*;

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn spec() -> QueueSpec {
    let visibility_timeout = Duration::from_secs(30);
    QueueSpec { name: "Jobs".to_owned(), visibility_timeout, max_receive_count: 2, of_dead_letters: false }
}

fn at(seconds: i64) -> Timestamp {
    START.checked_add(SignedDuration::from_secs(seconds)).expect("small")
}

fn queue() -> Queue {
    Queue::new(QueueFile::memory().expect("memory is there"), spec())
}

fn bodies(messages: &[SqsMessage]) -> Vec<&str> {
    messages.iter().map(|message| message.body.as_deref().expect("every message has a body")).collect()
}

fn receive(queue: &Queue, seconds: i64) -> Vec<SqsMessage> {
    queue.receive(10, at(seconds)).expect("received")
}

#[test]
fn a_received_message_is_hidden_until_its_time_is_up() {
    let queue = queue();
    queue.send("a", at(0)).expect("sent");
    assert_eq!(bodies(&receive(&queue, 0)), ["a"]);
    assert!(receive(&queue, 29).is_empty());
    assert_eq!(queue.next_visible_at().expect("read"), Some(at(30)));
    assert_eq!(bodies(&receive(&queue, 30)), ["a"]);
}

#[test]
fn a_changed_visibility_holds_for_the_newest_receipt_only() {
    let queue = queue();
    queue.send("a", at(0)).expect("sent");
    let old = receive(&queue, 0)[0].receipt_handle.clone().expect("a receipt");
    queue.change_visibility(&old, at(5)).expect("changed");
    assert!(receive(&queue, 4).is_empty());
    assert_eq!(bodies(&receive(&queue, 5)), ["a"]);
    queue.change_visibility(&old, at(6)).expect("nothing to change");
    assert!(receive(&queue, 34).is_empty());
}

#[test]
fn a_deleted_message_never_comes_back() {
    let queue = queue();
    queue.send("a", at(0)).expect("sent");
    let receipt = receive(&queue, 0)[0].receipt_handle.clone().expect("a receipt");
    assert!(queue.delete(&receipt).expect("deleted"));
    assert!(!queue.delete(&receipt).expect("nothing left"));
    assert!(receive(&queue, 60).is_empty());
    assert_eq!(queue.depth().expect("read"), 0);
}

#[test]
fn an_old_receipt_deletes_nothing() {
    let queue = queue();
    queue.send("a", at(0)).expect("sent");
    let old = receive(&queue, 0)[0].receipt_handle.clone().expect("a receipt");
    receive(&queue, 30);
    assert!(!queue.delete(&old).expect("refused"));
    assert_eq!(queue.depth().expect("read"), 1);
}

#[test]
fn the_receive_after_the_last_allowed_one_makes_a_dead_letter() {
    let queue = queue();
    let id = queue.send("poison", at(0)).expect("sent");
    receive(&queue, 0);
    let last = receive(&queue, 30)[0].receipt_handle.clone().expect("a receipt");
    queue.note_failure(&last, "no JSON").expect("noted");
    assert!(queue.dead_letters().expect("read").is_empty());
    assert!(receive(&queue, 60).is_empty());
    let letter = DeadLetter {
        message_id: id,
        body: "poison".to_owned(),
        receive_count: 2,
        sent_at: at(0),
        reason: Some("no JSON".to_owned()),
    };
    assert_eq!(queue.dead_letters().expect("read"), [letter]);
    assert!(receive(&queue, 90).is_empty());
}

/// A queue with the dead letters `bodies`, and their ids.
fn dead(bodies: &[&str]) -> (Queue, Vec<String>) {
    let queue = queue();
    let ids = bodies.iter().map(|body| queue.send(body, at(0)).expect("sent")).collect();
    for seconds in [0, 30, 60] {
        receive(&queue, seconds);
    }
    (queue, ids)
}

#[test]
fn a_dead_letter_driven_back_is_as_if_never_received() {
    let (queue, ids) = dead(&["a", "b"]);
    assert_eq!(queue.redrive(Some(&ids[1]), at(90)).expect("driven"), 1);
    let again = receive(&queue, 90);
    assert_eq!(bodies(&again), ["b"]);
    assert_eq!(again[0].message_id.as_ref(), Some(&ids[1]));
    assert_eq!(again[0].attributes["ApproximateReceiveCount"], "1");
    assert_eq!(again[0].attributes["ApproximateFirstReceiveTimestamp"], "90000");
    // It may fail as often as a new one before it is dead again.
    assert_eq!(bodies(&receive(&queue, 120)), ["b"]);
    assert!(receive(&queue, 150).is_empty());
    assert_eq!(queue.dead_letters().expect("read").len(), 2);
}

#[test]
fn only_dead_letters_are_driven_back() {
    let (queue, ids) = dead(&["a", "b"]);
    let waiting = queue.send("c", at(60)).expect("sent");
    for id in [waiting.as_str(), "unknown", ""] {
        assert_eq!(queue.redrive(Some(id), at(90)).expect("nothing to do"), 0, "{id}");
    }
    assert_eq!(queue.redrive(None, at(90)).expect("driven"), 2);
    assert_eq!(queue.redrive(Some(&ids[0]), at(90)).expect("nothing to do"), 0, "it is there once");
    assert_eq!(bodies(&receive(&queue, 90)), ["a", "b", "c"]);
}

/// The queue of rebates in a file.
fn rebates(path: &Path) -> Queue {
    Queue::new(QueueFile::open(path).expect("opened"), QueueSpec { name: "RebateQueue".to_owned(), ..spec() })
}

/// A file of an earlier version, with one message in it, is taken over.
#[track_caller]
fn check_taken_over(as_it_was: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("queue");
    rebates(&path).send("a", at(0)).expect("sent");
    let file = Connection::open(&path).expect("opened");
    file.execute_batch(as_it_was).expect("as it was");
    drop(file);
    let queue = rebates(&path);
    assert_eq!(bodies(&receive(&queue, 0)), ["a"]);
    assert!(queue.dead_letters().expect("read").is_empty());
}

#[test]
fn a_file_of_an_earlier_version_is_taken_over() {
    let second = "DROP INDEX message_by_queue; DROP INDEX message_by_group; ALTER TABLE message DROP COLUMN queue;
        ALTER TABLE message DROP COLUMN group_id; DROP TABLE deduplication; DROP TABLE event;
        CREATE INDEX message_by_visibility ON message (dead, visible_at_ms); PRAGMA user_version = 2;";
    check_taken_over(second);
    check_taken_over(&format!("{second} ALTER TABLE message DROP COLUMN failure; PRAGMA user_version = 1;"));
}

fn grouped(body: &str, group: &str, deduplication: &str) -> Message {
    let group = Group { id: group.to_owned(), deduplication: deduplication.to_owned() };
    Message { body: body.to_owned(), group: Some(group) }
}

#[test]
fn of_a_group_none_is_received_while_one_is_worked_on() {
    let queue = queue();
    let messages = [grouped("a1", "a", "1"), grouped("b1", "b", "1"), grouped("a2", "a", "2")];
    queue.send_all(&messages, at(0)).expect("sent");
    let first = queue.receive(1, at(0)).expect("received");
    assert_eq!((bodies(&first), &*first[0].attributes["MessageGroupId"]), (vec!["a1"], "a"));
    assert_eq!(bodies(&receive(&queue, 0)), ["b1"], "another group waits for nobody");
    // It comes back before those behind it; dead, it holds nobody up.
    assert_eq!(bodies(&queue.receive(1, at(30)).expect("received")), ["a1"]);
    assert_eq!(bodies(&receive(&queue, 60)), ["b1", "a2"]);
    assert_eq!(queue.dead_letters().expect("read")[0].body, "a1");
}

#[test]
fn a_worked_off_message_lets_the_next_of_its_group_go() {
    let queue = queue();
    queue.send_all(&[grouped("a1", "a", "1"), grouped("a2", "a", "2")], at(0)).expect("sent");
    let first = queue.receive(1, at(0)).expect("received").remove(0);
    assert!(receive(&queue, 0).is_empty());
    assert!(queue.delete(&first.receipt_handle.expect("a receipt")).expect("deleted"));
    assert_eq!(bodies(&receive(&queue, 0)), ["a2"]);
}

#[test]
fn what_a_group_was_sent_before_is_dropped_for_five_minutes() {
    let queue = queue();
    let send = |body: &str, group: &str, id: &str, seconds| {
        queue.send_all(&[grouped(body, group, id)], at(seconds)).expect("sent");
    };
    send("first", "a", "1", 0);
    send("again", "a", "1", 299);
    send("another", "a", "2", 299);
    send("of another group", "b", "1", 299);
    assert_eq!(bodies(&receive(&queue, 299)), ["first", "another", "of another group"]);
    send("later", "a", "1", 300);
    assert_eq!(queue.depth().expect("read"), 4);
}

#[test]
fn queues_of_one_file_know_nothing_of_one_another() {
    let file = QueueFile::memory().expect("memory is there");
    let one = Queue::new(Arc::clone(&file), spec());
    let letters = QueueSpec { name: "Letters".to_owned(), of_dead_letters: true, ..spec() };
    let other = Queue::new(file, letters);
    one.send("a", at(0)).expect("sent");
    let id = other.send("b", at(0)).expect("sent");
    assert_eq!((one.depth().expect("read"), other.depth().expect("read")), (1, 0));
    assert!(one.dead_letters().expect("read").is_empty());
    assert_eq!(one.redrive(Some(&id), at(0)).expect("nothing to do"), 0);
    assert_eq!(other.dead_letters().expect("read")[0].body, "b", "what it is sent is dead at once");
    assert_eq!(other.redrive(None, at(0)).expect("driven"), 1);
    assert_eq!(bodies(&receive(&other, 0)), ["b"]);
    assert_eq!(bodies(&receive(&one, 0)), ["a"]);
}

#[test]
fn a_batch_is_bounded_and_oldest_first() {
    let queue = queue();
    for body in ["a", "b", "c"] {
        queue.send(body, at(0)).expect("sent");
    }
    assert_eq!(bodies(&queue.receive(2, at(0)).expect("received")), ["a", "b"]);
    assert_eq!(bodies(&queue.receive(2, at(0)).expect("received")), ["c"]);
}

#[test]
fn a_message_looks_as_one_of_sqs() {
    let queue = queue();
    queue.send("hello", at(7)).expect("sent");
    let message = &receive(&queue, 8)[0];
    assert_eq!(message.md5_of_body.as_deref(), Some("5d41402abc4b2a76b9719d911017c592"));
    assert_eq!(message.event_source_arn.as_deref(), Some("arn:aws:sqs:us-east-1:000000000000:Jobs"));
    assert_eq!(message.attributes["ApproximateReceiveCount"], "1");
    assert_eq!(message.attributes["SentTimestamp"], "7000");
    assert_eq!(message.attributes["ApproximateFirstReceiveTimestamp"], "8000");
}

#[test]
fn messages_and_checkpoint_outlive_the_process() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("queue");
    {
        let file = QueueFile::open(&path).expect("made");
        Queue::new(Arc::clone(&file), spec()).send("a", at(0)).expect("sent");
        file.move_checkpoint("stream", "6").expect("moved");
        file.move_checkpoint("stream", "7").expect("moved");
        let refused = QueueFile::open(&path).err().expect("one process at a time");
        assert!(format!("{refused:#}").contains("in use"), "{refused:#}");
    }
    let file = QueueFile::open(&path).expect("opened again");
    assert_eq!(file.checkpoint("stream").expect("read").as_deref(), Some("7"));
    assert_eq!(file.checkpoint("another").expect("read"), None);
    assert_eq!(bodies(&receive(&Queue::new(file, spec()), 0)), ["a"]);
}
