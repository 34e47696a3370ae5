//! Where what follows from a movement is sent: queues (SQS) and the event bus (EventBridge).
//!
//! Never reads or writes the ledger.
