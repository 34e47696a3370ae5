//! The shape of the code, held by a machine: who may use whom, what the domain never knows, and how money is written.
//!
//! From `cargo metadata` and the sources' text. Each rule is shown to be able to fail.

mod circles;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

/// The crates of the workspace.
fn packages() -> Vec<Package> {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec();
    metadata.expect("cargo metadata runs").packages
}

/// The normal dependencies of each workspace crate, by name.
fn direct() -> BTreeMap<String, BTreeSet<String>> {
    let normal = |package: &Package| {
        let kept = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        kept.map(|dependency| dependency.name.clone()).collect()
    };
    packages().iter().map(|package| (package.name.to_string(), normal(package))).collect()
}

/// The crates of ours that a crate may use, and how the names begin of those that it may not; `None` for what is never deployed.
/// What only development needs is barred from all of these in `.cargo/deny.toml`.
fn rule(name: &str) -> Option<(&'static [&'static str], &'static [&'static str])> {
    let folder = name.strip_prefix("wallet-")?;
    Some(match name {
        "wallet-domain" => (&[], &["aws", "lambda", "tokio", "serde", "fastrand"]),
        "wallet-dynamodb" => (&["wallet-domain"], &["lambda"]),
        "wallet-messaging" => (&[], &["lambda", "aws-sdk-dynamodb"]),
        "wallet-lambda" => (&["wallet-domain", "wallet-dynamodb"], &["aws-sdk", "aws-config"]),
        "wallet-audit" => (&["wallet-domain", "wallet-dynamodb", "wallet-lambda"], &[]),
        _ if root().join("functions").join(folder).is_dir() => {
            (&["wallet-domain", "wallet-lambda", "wallet-messaging"], &["aws-sdk", "aws-config", "aws-smithy"])
        }
        _ => return None,
    })
}

/// What a crate may not use, and does.
fn forbidden(name: &str, uses: &BTreeSet<String>) -> Vec<String> {
    let Some((ours, others)) = rule(name) else { return vec![] };
    let is_forbidden = |used: &&String| match used.starts_with("wallet-") {
        true => !ours.contains(&used.as_str()),
        false => others.iter().any(|other| used.starts_with(other)),
    };
    uses.iter().filter(is_forbidden).cloned().collect()
}

#[test]
fn dependencies_point_one_way() {
    let direct = direct();
    assert!(direct.keys().filter(|name| rule(name).is_some()).count() >= 15, "crates of the functions are missing");
    for (name, uses) in &direct {
        assert_eq!(forbidden(name, uses), Vec::<String>::new(), "{name} uses what it must not");
    }
    let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(forbidden("wallet-deposit", &of(&["aws-sdk-dynamodb", "wallet-transfer", "serde"])).len(), 2);
    assert_eq!(forbidden("wallet-dispatch", &of(&["aws-sdk-sqs", "wallet-dynamodb", "wallet-messaging"])).len(), 2);
    assert_eq!(forbidden("wallet-messaging", &of(&["aws-sdk-sqs", "wallet-dynamodb", "aws-sdk-dynamodb"])).len(), 2);
    assert_eq!(forbidden("wallet-audit", &of(&["wallet-stack", "lambda_runtime", "aws-config"])).len(), 1);
    assert_eq!(forbidden("wallet-domain", &of(&["wallet-lambda", "tokio", "jiff"])).len(), 2);
}

/// Every Rust source below `folder`, by path.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut waiting = vec![root().join(folder)];
    let mut found = vec![];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).expect("readable").map(|entry| entry.expect("readable").path()));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push((path.display().to_string(), fs::read_to_string(&path).expect("UTF-8")));
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

/// The lines that hold one of `words` as a whole word, comments aside.
fn lines_with<'a>(text: &'a str, words: &[&str]) -> Vec<&'a str> {
    let in_a_word = |character: char| character.is_alphanumeric() || character == '_';
    let holds = |line: &str, word: &str| {
        line.match_indices(word)
            .any(|(at, _)| !line[..at].ends_with(in_a_word) && !line[at + word.len()..].starts_with(in_a_word))
    };
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.filter(|line| words.iter().any(|word| holds(line, word))).collect()
}

#[track_caller]
fn nowhere(folders: &[&str], words: &[&str]) {
    for (path, text) in folders.iter().flat_map(|folder| sources(folder)) {
        assert_eq!(lines_with(&text, words), Vec::<&str>::new(), "{path}");
    }
}

#[test]
fn no_binary_floating_point_near_money() {
    nowhere(&["shared", "functions"], &["f32", "f64"]);
    assert_eq!(lines_with("let a: f64 = 1.0;\n// f64\nlet of64 = 2;", &["f32", "f64"]), ["let a: f64 = 1.0;"]);
}

#[test]
fn the_domain_has_no_clock_no_chance_and_no_io() {
    let words =
        ["Timestamp::now", "SystemTime", "Instant", "std::env", "std::fs", "std::net", "std::thread", "async", "rand"];
    nowhere(&["shared/domain/src"], &words);
    assert_eq!(lines_with("let t = Timestamp::now();", &words).len(), 1);
}

#[test]
fn money_is_written_by_transact_write_items_alone() {
    let others = ["put_item", "update_item", "delete_item", "batch_write_item", "execute_statement"];
    nowhere(&["shared", "functions", "infra/audit"], &others);
    assert_eq!(lines_with("client.put_item().send()", &others).len(), 1);
    let places: Vec<_> = sources("shared/dynamodb/src")
        .into_iter()
        .filter(|(_, text)| !lines_with(text, &["transact_write_items"]).is_empty())
        .map(|(path, _)| path)
        .collect();
    assert!(places.len() == 1 && places[0].ends_with("transact.rs"), "one place writes: {places:?}");
}

#[test]
fn every_module_opens_with_its_job() {
    for (path, text) in ["shared", "functions", "infra", "tests"].iter().flat_map(|folder| sources(folder)) {
        assert!(text.starts_with("//!"), "{path} does not say what it is for");
    }
}

#[test]
fn every_crate_inherits_the_workspace_s_lints_and_version_of_rust() {
    for package in packages() {
        let manifest = fs::read_to_string(&package.manifest_path).expect("UTF-8");
        for line in ["[lints]\nworkspace = true", "rust-version.workspace = true", "license.workspace = true"] {
            assert!(manifest.contains(line), "{} lacks {line:?}", package.name);
        }
    }
}

/// Asked for by `wallet-command` for their features alone; its manifest says why.
const FEATURES_ONLY: [&str; 3] = ["getrandom", "proc-macro2", "regex-syntax"];

/// Those of `dependencies` that no line of `text` names.
fn unused(dependencies: &[String], text: &str) -> Vec<String> {
    let named = |name: &str| match name {
        // The one whose library has another name than its package.
        "dynoxide-rs" => "dynoxide".to_owned(),
        name => name.replace('-', "_"),
    };
    dependencies.iter().filter(|name| lines_with(text, &[&named(name)]).is_empty()).cloned().collect()
}

#[test]
fn every_dependency_is_used() {
    let mut all = BTreeSet::new();
    for package in packages() {
        let folder = package.manifest_path.parent().expect("a manifest lies in a folder");
        let folder = folder.strip_prefix(root()).expect("in the workspace").to_string();
        let text: String = sources(&folder).into_iter().map(|(_, text)| text).collect();
        let names: Vec<_> = package.dependencies.iter().map(|dependency| dependency.name.clone()).collect();
        let mut unused = unused(&names, &text);
        unused.retain(|name| package.name != "wallet-command" || !FEATURES_ONLY.contains(&name.as_str()));
        assert_eq!(unused, Vec::<String>::new(), "{} does without", package.name);
        all.extend(names);
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("UTF-8");
    let (_, listed) = manifest.split_once("[workspace.dependencies]").expect("the workspace lists them");
    let listed = listed.split("\n[").next().expect("a part").lines().filter(|line| !line.starts_with('#'));
    for (name, _) in listed.filter_map(|line| line.split_once(" = ")) {
        assert!(all.contains(name), "no crate uses {name}");
    }
    assert_eq!(unused(&["a-b".to_owned(), "c".to_owned()], "use c::D; // a_b"), Vec::<String>::new());
    assert_eq!(unused(&["a-b".to_owned()], "// a_b\nuse a_bc;"), ["a-b"]);
}

#[test]
fn no_function_is_built_with_its_description() {
    let functions: Vec<_> = direct().into_keys().filter(|name| rule(name).is_some()).collect();
    let packages: Vec<_> = functions.iter().map(|name| format!("--package={name}")).collect();
    let arguments: Vec<_> = packages.iter().map(String::as_str).chain(["--edges=normal,build"]).collect();
    let describes = |crates: BTreeSet<String>| crates.iter().any(|line| line.starts_with("utoipa"));
    assert!(!describes(built(&arguments)));
    assert!(describes(built(&["--package=wallet-stack", "--edges=normal,build"])));
}

/// What cargo builds of other people's for these arguments: each crate with its version and features.
fn built(arguments: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "--prefix=none", "--format={p}|{f}"]).args(arguments).current_dir(root());
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let crates = lines.lines().map(|line| line.trim_end_matches(" (*)").to_owned());
    crates.filter(|line| !line.is_empty() && !line.starts_with("wallet-")).collect()
}

#[test]
fn the_command_is_built_from_what_the_tests_have_built() {
    let tests = built(&["--workspace", "--edges=normal,build,dev"]);
    let command = built(&["--package=wallet-command", "--edges=normal,build"]);
    let anew: Vec<_> = command.difference(&tests).collect();
    assert!(!command.is_empty() && anew.is_empty(), "compiled anew by `cargo wallet`: {anew:?}");
    // With no other features than its own it would be.
    assert!(!built(&["--package=wallet-stack", "--edges=normal,build"]).is_subset(&tests));
}
