//! Visibility, receive counts, dead letters and the checkpoint, with time as an argument.

use super::*;

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn spec() -> QueueSpec {
    QueueSpec { name: "Jobs".to_owned(), visibility_timeout: Duration::from_secs(30), max_receive_count: 2 }
}

fn at(seconds: i64) -> Timestamp {
    START.checked_add(SignedDuration::from_secs(seconds)).expect("small")
}

fn queue() -> Queue {
    Queue::memory(spec()).expect("memory is there")
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

#[test]
fn a_file_of_the_first_version_is_taken_over() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("queue");
    Queue::open(&path, spec()).expect("made").send("a", at(0)).expect("sent");
    let file = Connection::open(&path).expect("opened");
    file.execute_batch("ALTER TABLE message DROP COLUMN failure; PRAGMA user_version = 1").expect("as it was");
    drop(file);
    let queue = Queue::open(&path, spec()).expect("taken over");
    assert_eq!(bodies(&receive(&queue, 0)), ["a"]);
    assert!(queue.dead_letters().expect("read").is_empty());
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
        let queue = Queue::open(&path, spec()).expect("made");
        queue.carry("stream", "7", &["a".to_owned()], at(0)).expect("carried");
        let refused = Queue::open(&path, spec()).err().expect("one process at a time");
        assert!(format!("{refused:#}").contains("in use"), "{refused:#}");
    }
    let queue = Queue::open(&path, spec()).expect("opened again");
    assert_eq!(queue.checkpoint("stream").expect("read").as_deref(), Some("7"));
    assert_eq!(queue.checkpoint("another").expect("read"), None);
    assert_eq!(bodies(&receive(&queue, 0)), ["a"]);
}
