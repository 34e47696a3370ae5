//! Why a command did not do what it was asked, and with which exit code it says so.

use std::fmt;
use std::process::ExitCode;

use owo_colors::OwoColorize as _;
use serde_json::Value;

use super::words::plain;
use crate::console;

#[derive(Debug)]
pub(crate) enum Failure {
    /// The API said no.
    Problem(Box<Value>),
    /// What was sent may have been done, and no answer came.
    Lost { why: String, key: String },
    /// Nothing was asked, or nothing was to be changed by it.
    Failed(String),
    /// The arguments don't say what is meant.
    Unclear(String),
}

impl Failure {
    /// 0 is done, and 2 is clap's for wrong arguments.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.number())
    }

    pub(super) fn number(&self) -> u8 {
        match self {
            Failure::Failed(_) => 1,
            Failure::Unclear(_) => 2,
            Failure::Problem(problem) => match problem["code"].as_str() {
                Some("outcome_unknown" | "internal") => 5,
                _ if problem["retryable"] == true => 4,
                _ => 3,
            },
            Failure::Lost { .. } => 5,
        }
    }

    pub(crate) fn print(&self, json: bool) {
        if let (Failure::Problem(problem), true) = (self, json) {
            console::line(&problem.to_string());
        }
        anstream::eprintln!("{} {self}", "error:".red().bold());
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Value| plain(value.as_str().unwrap_or_default());
        match self {
            Failure::Problem(problem) => {
                write!(f, "{} ({})", text(&problem["detail"]), text(&problem["code"]))?;
                if let (Some(available), Some(requested)) =
                    (problem["available"].as_str(), problem["requested"].as_str())
                {
                    write!(f, "\n  {} is available, {} was asked for", plain(available), plain(requested))?;
                }
                match self.number() {
                    4 => f.write_str("\n  Nothing has moved. The same again, with the same --key, may go through."),
                    5 => f.write_str("\n  The same again, with the same --key, tells what has come of it."),
                    _ => Ok(()),
                }
            }
            Failure::Lost { why, key } => {
                write!(
                    f,
                    "{why}\n  It may have been done. The same again, with --key '{key}', tells, and does it once."
                )
            }
            Failure::Failed(why) | Failure::Unclear(why) => f.write_str(why),
        }
    }
}
