//! The shape of the code, held by a machine: who may use whom, what the domain never knows, and how money is written.
//!
//! From `cargo metadata` and the sources' text. Each rule is shown to be able to fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

/// The normal dependencies of each workspace crate, by name.
fn direct() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec();
    let normal = |package: &cargo_metadata::Package| {
        let kept = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        kept.map(|dependency| dependency.name.clone()).collect()
    };
    let packages = metadata.expect("cargo metadata runs").packages;
    packages.iter().map(|package| (package.name.to_string(), normal(package))).collect()
}

const FUNCTIONS: [&str; 7] = [
    "wallet-deposit",
    "wallet-rebate",
    "wallet-reversal",
    "wallet-transactions",
    "wallet-transfer",
    "wallet-wallets",
    "wallet-withdraw",
];

/// What a crate may not use, and does.
fn forbidden(name: &str, uses: &BTreeSet<String>) -> Vec<String> {
    let ours = |allowed: &[&str]| -> Vec<String> {
        uses.iter().filter(|used| used.starts_with("wallet-") && !allowed.contains(&used.as_str())).cloned().collect()
    };
    let prefixed = |prefixes: &[&str]| -> Vec<String> {
        uses.iter().filter(|used| prefixes.iter().any(|prefix| used.starts_with(prefix))).cloned().collect()
    };
    let development = ["dynoxide", "rusqlite", "axum", "clap", "anyhow", "jsonwebtoken", "reqwest"];
    match name {
        "wallet-domain" => [ours(&[]), prefixed(&["aws", "lambda", "tokio", "serde", "fastrand"])].concat(),
        "wallet-dynamodb" => [ours(&["wallet-domain"]), prefixed(&["lambda"]), prefixed(&development)].concat(),
        "wallet-lambda" => {
            [ours(&["wallet-domain", "wallet-dynamodb"]), prefixed(&["aws-sdk", "aws-config"]), prefixed(&development)]
                .concat()
        }
        // A command's part and a function of its own: what only development needs must stay out of it.
        "wallet-audit" => {
            [ours(&["wallet-domain", "wallet-dynamodb", "wallet-lambda"]), prefixed(&development)].concat()
        }
        function if FUNCTIONS.contains(&function) => {
            let sdk = ["aws-sdk", "aws-config", "aws-smithy"];
            [ours(&["wallet-domain", "wallet-lambda"]), prefixed(&sdk), prefixed(&development)].concat()
        }
        _ => vec![],
    }
}

#[test]
fn dependencies_point_one_way() {
    let direct = direct();
    for name in FUNCTIONS {
        assert!(direct.contains_key(name), "{name} is gone; mend the list");
    }
    for (name, uses) in &direct {
        assert_eq!(forbidden(name, uses), Vec::<String>::new(), "{name} uses what it must not");
    }
    let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(forbidden("wallet-deposit", &of(&["aws-sdk-dynamodb", "wallet-transfer", "serde"])).len(), 2);
    assert_eq!(forbidden("wallet-audit", &of(&["wallet-stack", "clap", "lambda_runtime", "aws-config"])).len(), 2);
    assert_eq!(forbidden("wallet-domain", &of(&["wallet-lambda", "tokio", "jiff"])).len(), 2);
}

#[test]
fn every_function_s_folder_is_known_here() {
    let folders = fs::read_dir(root().join("functions")).expect("there are functions");
    let folders: BTreeSet<_> =
        folders.map(|entry| format!("wallet-{}", entry.expect("readable").file_name().display())).collect();
    assert_eq!(folders, FUNCTIONS.iter().map(|name| (*name).to_owned()).collect());
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
    assert!(places.len() == 1 && places[0].ends_with("commit.rs"), "one place writes: {places:?}");
}

#[test]
fn every_module_opens_with_its_job() {
    for (path, text) in ["shared", "functions", "infra", "tests"].iter().flat_map(|folder| sources(folder)) {
        assert!(text.starts_with("//!"), "{path} does not say what it is for");
    }
}

#[test]
fn every_crate_inherits_the_workspace_s_lints_and_version_of_rust() {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec();
    for package in metadata.expect("cargo metadata runs").packages {
        let manifest = fs::read_to_string(&package.manifest_path).expect("UTF-8");
        for line in ["[lints]\nworkspace = true", "rust-version.workspace = true", "license.workspace = true"] {
            assert!(manifest.contains(line), "{} lacks {line:?}", package.name);
        }
    }
}

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
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec();
    let mut all = BTreeSet::new();
    for package in metadata.expect("cargo metadata runs").packages {
        let folder = package.manifest_path.parent().expect("a manifest lies in a folder");
        let folder = folder.strip_prefix(root()).expect("in the workspace").to_string();
        let text: String = sources(&folder).into_iter().map(|(_, text)| text).collect();
        let names: Vec<_> = package.dependencies.iter().map(|dependency| dependency.name.clone()).collect();
        assert_eq!(unused(&names, &text), Vec::<String>::new(), "{} does without", package.name);
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
