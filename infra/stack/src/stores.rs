//! What a stack remembers: the embedded DynamoDB, the queues and the bus, in memory or in files beside each other.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::SharedHttpClient;
use wallet_messaging::Sender;

use crate::bus::Bus;
use crate::data_file::{self, DataFiles, Kind};
use crate::database::Database;
use crate::post::LocalPost;
use crate::queue::{Queue, QueueFile};
use crate::template::{Consumer, Template};

/// The embedded DynamoDB, the queues and the bus.
pub struct Stores {
    pub(crate) database: Database,
    pub(crate) file: Arc<QueueFile>,
    /// By the name of the function that reads it.
    pub(crate) queues: BTreeMap<String, Arc<Queue>>,
    pub(crate) bus: Arc<Bus>,
}

impl Stores {
    /// Opens them, or makes them, and serves the database on `127.0.0.1:port`; 0 is any free port.
    ///
    /// # Errors
    /// When the port is taken or the data cannot be used. The message says what to do.
    pub async fn start(template: &Template, data: Option<&Path>, port: u16) -> Result<Stores> {
        let files = data.map(DataFiles::at).transpose()?;
        if let Some(files) = &files {
            // Opened first: beside a file of another program nothing is made.
            data_file::open(&files.ledger, Kind::Ledger)?;
        }
        // Before the database: the queues' file is the lock of both.
        let file = match &files {
            Some(files) => QueueFile::open(&files.queue)?,
            None => QueueFile::memory()?,
        };
        let queue = |consumer: &Consumer| {
            let queue = Queue::new(Arc::clone(&file), consumer.queue.clone());
            (consumer.function.clone(), Arc::new(queue))
        };
        let queues = template.consumers.iter().map(queue).collect();
        let bus = Arc::new(Bus::new(Arc::clone(&file))?);
        let ledger = files.as_ref().map(|files| files.ledger.as_path());
        let database = Database::start(ledger, &template.table, port).await?;
        Ok(Stores { database, file, queues, bus })
    }

    /// What sends into these queues, each by its logical name, and to the bus.
    pub(crate) fn sender(&self) -> Sender {
        Sender::by(Arc::new(LocalPost { queues: self.queues.values().cloned().collect(), bus: Arc::clone(&self.bus) }))
    }

    /// Where the embedded DynamoDB answers: `http://127.0.0.1:<port>`.
    pub fn dynamodb_url(&self) -> &str {
        &self.database.url
    }

    /// A client of the database, over `http` if given.
    pub fn client(&self, http: Option<SharedHttpClient>) -> Client {
        self.database.client(http)
    }

    /// The database itself, past its server: for filling it.
    pub fn database(&self) -> dynoxide::Database {
        self.database.inner.clone()
    }

    /// Takes no more connections and returns when those at work are done.
    pub async fn stop(self) {
        self.database.stop().await;
    }
}
