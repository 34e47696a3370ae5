//! How long a function takes from the start of its process until it asks for its first event, as Lambda counts its
//! `Init Duration`, and until it has answered it, so that what is merely put off shows; measured in turns with another
//! function, so that both meet the same machine.
//!
//! The first event needs no database. What this cannot show: the download of the package and the boot of its machine,
//! which Lambda adds, its share of a processor, and the first call to DynamoDB with its TLS handshake.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use wallet_stack::REGION;

/// How long a start may take. Lambda itself gives up after 10 s.
const PATIENCE: Duration = Duration::from_secs(10);
/// A head is a few hundred bytes.
const HEAD_LIMIT_BYTES: usize = 16 * 1024;

/// A function's executable.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// The size of the file, before it is zipped to be uploaded.
    pub(crate) size_bytes: u64,
}

impl Binary {
    /// The executable at `path`.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn at(name: &str, path: &Path) -> Result<Binary> {
        let file = std::fs::metadata(path).with_context(|| format!("{} is missing", path.display()))?;
        Ok(Binary { name: name.to_owned(), path: path.to_owned(), size_bytes: file.len() })
    }
}

/// When a started function did what, from the start of its process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    /// It asked for its first event.
    pub(crate) asked: Duration,
    /// It had answered it.
    pub(crate) answered: Duration,
}

/// A function's starts, each with one of the other function right before it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pairs {
    /// The other function's.
    pub(crate) base: Vec<Start>,
    /// Its own.
    pub(crate) own: Vec<Start>,
}

impl Pairs {
    /// How many times as long it takes until it asks for its first event, median by median.
    pub(crate) fn ratio(&self) -> f64 {
        let asked = |starts| median(starts, |start: &Start| start.asked).as_secs_f64();
        asked(&self.own) / asked(&self.base)
    }
}

/// The middle one of what `of` takes from each; the later of the two if there are two.
pub(crate) fn median(starts: &[Start], of: impl Fn(&Start) -> Duration) -> Duration {
    let mut sorted: Vec<_> = starts.iter().map(of).collect();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Starts `base` and `binary` in turns, `rounds` times each, after one of each that doesn't count: it brings the files
/// into memory.
///
/// # Errors
/// When one of them doesn't start; with what it wrote.
pub(crate) async fn measure(
    base: &Binary,
    binary: &Binary,
    environment: &BTreeMap<String, String>,
    rounds: usize,
) -> Result<Pairs> {
    let mut pairs = Pairs::default();
    for round in 0..=rounds {
        let (before, own) = (start(base, environment).await?, start(binary, environment).await?);
        if round > 0 {
            pairs.base.push(before);
            pairs.own.push(own);
        }
    }
    Ok(pairs)
}

async fn start(binary: &Binary, environment: &BTreeMap<String, String>) -> Result<Start> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for the runtime API")?;
    let mut command = Command::new(&binary.path);
    command
        .env_clear()
        .envs(environment)
        .envs(LAMBDA_ENVIRONMENT)
        .env("AWS_LAMBDA_FUNCTION_NAME", &binary.name)
        .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr()?.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("{} cannot be run", binary.path.display()))?;
    let outcome = tokio::time::timeout(PATIENCE, first_event(&listener, started)).await;
    let said = end(&mut child);
    let outcome = outcome.with_context(|| format!("it was not done within {} s", PATIENCE.as_secs()));
    outcome.and_then(|start| start).with_context(|| format!("`{}` did not start, and said: {said}", binary.name))
}

/// Gives the function its first event and takes its answer.
async fn first_event(listener: &TcpListener, started: Instant) -> Result<Start> {
    let (mut connection, line) = request(listener).await?;
    let asked = started.elapsed();
    ensure!(line.starts_with("GET /2018-06-01/runtime/invocation/next "), "it asked `{line}` and not for an event");
    connection.write_all(format!("{EVENT_HEAD}content-length: {}\r\n\r\n{EVENT}", EVENT.len()).as_bytes()).await?;
    let (_connection, line) = request(listener).await?;
    let answered = started.elapsed();
    ensure!(line.starts_with("POST /2018-06-01/runtime/invocation/first/response "), "it answered `{line}`");
    Ok(Start { asked, answered })
}

/// The head of the first event's response. It closes the connection, so that the answer comes over one of its own.
const EVENT_HEAD: &str = "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: first\r\nlambda-runtime-deadline-ms: 4102444800000\r\n\
lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:000000000000:function:first\r\nconnection: close\r\n";
/// A request for a route that no function has, and an empty batch: whichever the function reads.
const EVENT: &str = r#"{"version":"2.0","routeKey":"$default","rawPath":"/","rawQueryString":"","headers":{},
"requestContext":{"accountId":"0","apiId":"local","domainName":"local","domainPrefix":"local","http":{"method":"GET",
"path":"/","protocol":"HTTP/1.1","sourceIp":"127.0.0.1","userAgent":""},"requestId":"first","routeKey":"$default",
"stage":"$default","time":"21/Nov/2026:03:07:00 +0000","timeEpoch":1795230420123},"isBase64Encoded":false,"Records":[]}"#;

/// What Lambda sets beside the function's own variables, as far as runtime and SDK look at it.
const LAMBDA_ENVIRONMENT: [(&str, &str); 12] = [
    ("AWS_ACCESS_KEY_ID", "local"),
    ("AWS_DEFAULT_REGION", REGION),
    ("AWS_EXECUTION_ENV", "AWS_Lambda_Image"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
    ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
    ("AWS_REGION", REGION),
    ("AWS_SECRET_ACCESS_KEY", "local"),
    ("AWS_SESSION_TOKEN", "local"),
    ("LANG", "en_US.UTF-8"),
    ("TZ", ":UTC"),
];

/// The next request's first line, once its head is there.
async fn request(listener: &TcpListener) -> Result<(TcpStream, String)> {
    let (mut connection, _) = listener.accept().await?;
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if connection.read_buf(&mut head).await? == 0 || head.len() > HEAD_LIMIT_BYTES {
            bail!("its request has no end");
        }
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line).into_owned();
    Ok((connection, line))
}

/// Ends the process; what it wrote to standard error.
fn end(child: &mut Child) -> String {
    let _ = child.kill();
    let mut said = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        let _ = std::io::Read::read_to_string(&mut stderr, &mut said);
    }
    let _ = child.wait();
    said.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A function in bash, which speaks to the runtime API as `api <request line>` and waits for an answer to it.
    fn function(directory: &Path, name: &str, script: &str) -> Binary {
        let path = directory.join(name);
        let api = r#"api() { exec 3<>/dev/tcp/${AWS_LAMBDA_RUNTIME_API/:/\/}; printf '%s HTTP/1.1\r\n\r\n' "$1" >&3; read -r _ <&3; }"#;
        std::fs::write(&path, format!("#!/usr/bin/env bash\n{api}\n{script}\n")).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("made executable");
        Binary::at(name, &path).expect("it is there")
    }

    #[tokio::test]
    async fn a_start_lasts_until_the_first_event_is_asked_for_and_answered() {
        let directory = tempfile::tempdir().expect("a directory");
        let next = "api 'GET /2018-06-01/runtime/invocation/next'";
        let answer = "api 'POST /2018-06-01/runtime/invocation/first/response'";
        let base = function(directory.path(), "base", &format!("{next}; {answer}"));
        let slow = function(directory.path(), "slow", &format!("sleep $WAIT; {next}; sleep $WAIT; {answer}"));
        let path = ("PATH".to_owned(), std::env::var("PATH").expect("tests have a path"));
        let environment = BTreeMap::from([path, ("WAIT".to_owned(), "0.5".to_owned())]);
        let pairs = measure(&base, &slow, &environment, 3).await.expect("both start");
        assert_eq!((pairs.base.len(), pairs.own.len()), (3, 3));
        for start in &pairs.own {
            assert!(start.asked >= Duration::from_millis(500), "{pairs:?}");
            assert!(start.answered >= start.asked + Duration::from_millis(500), "{pairs:?}");
        }

        for (script, expected) in [
            (
                "echo 'no table' >&2; api 'POST /2018-06-01/runtime/init/error'",
                "it asked `POST /2018-06-01/runtime/init/error",
            ),
            ("echo 'no table' >&2; exec 3<>/dev/tcp/${AWS_LAMBDA_RUNTIME_API/:/\\/}", "its request has no end"),
        ] {
            let failing = function(directory.path(), "failing", script);
            let error = format!("{:#}", measure(&base, &failing, &environment, 1).await.expect_err("it fails"));
            assert!(error.contains("`failing` did not start, and said: no table"), "{error}");
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_median_is_the_middle_one() {
        let check = |all: &[u64], expected: u128| {
            let start = |ms: &u64| Start { asked: Duration::from_millis(*ms), answered: Duration::ZERO };
            let starts: Vec<_> = all.iter().map(start).collect();
            assert_eq!(median(&starts, |start| start.asked).as_millis(), expected, "{all:?}");
        };
        check(&[3, 1, 2], 2);
        check(&[4, 1, 3, 2], 3);
        check(&[], 0);
    }
}
