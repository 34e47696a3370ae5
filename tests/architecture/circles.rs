//! No circles between the files of a crate: no two modules use each other, directly or through others.
//!
//! A module uses another if its code names it or something of it, in a `use` or in a path; a name that is re-exported counts
//! as the module's that has it. A child that uses what its parent has uses its parent. What counts as no use: the declaration
//! of a child, a re-export that the re-exporting module doesn't use itself, links in documentation, and tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A module's or an item's place in its crate; the root's is empty.
type Place = Vec<String>;

/// What a module's text says of others.
#[derive(Default)]
struct Module {
    /// Every name, but those within imports.
    names: Vec<String>,
    /// Paths of more than one name, outside of imports.
    paths: Vec<Place>,
    imports: Vec<Import>,
}

struct Import {
    path: Place,
    name: String,
    is_public: bool,
}

impl Module {
    fn read(text: &str) -> Module {
        let mut module = Module::default();
        module.code(&text.parse::<TokenStream>().expect("it compiles").into_iter().collect::<Vec<_>>());
        module
    }

    fn code(&mut self, tokens: &[TokenTree]) {
        let (mut at, mut is_public) = (0, false);
        while let Some(token) = tokens.get(at) {
            match token {
                // A test: its attribute, and the item up to its end.
                TokenTree::Group(group) if group.stream().to_string() == "cfg (test)" => {
                    let ends = |token: &TokenTree| match token {
                        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                        token => token.to_string() == ";",
                    };
                    at += tokens[at..].iter().position(ends).unwrap_or_default();
                }
                TokenTree::Group(group) => self.code(&group.stream().into_iter().collect::<Vec<_>>()),
                TokenTree::Ident(word) if word == "pub" => is_public = true,
                // Not that of `impl Trait + use<T>`.
                TokenTree::Ident(word) if word == "use" && !matches!(tokens[at + 1], TokenTree::Punct(_)) => {
                    let end = tokens[at..].iter().position(|token| token.to_string() == ";").expect("a `use` ends");
                    self.import(&tokens[at + 1..at + end], &[], is_public);
                    (at, is_public) = (at + end, false);
                }
                TokenTree::Ident(word) => {
                    let (path, end) = path(&tokens[at..]);
                    self.names.push(word.to_string());
                    (at, is_public) = (at + end - 1, false);
                    self.paths.extend((path.len() > 1).then_some(path));
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// A tree of imports below `before`.
    fn import(&mut self, tree: &[TokenTree], before: &[String], is_public: bool) {
        let (path, end) = path(tree);
        let path = [before, &path].concat();
        if let Some(TokenTree::Group(group)) = tree.get(end) {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            for tree in inner.split(|token| token.to_string() == ",").filter(|tree| !tree.is_empty()) {
                self.import(tree, &path, is_public);
            }
        } else {
            let path: Place = path
                .iter()
                .enumerate()
                .filter(|(at, name)| *at == 0 || *name != "self")
                .map(|(_, name)| name.clone())
                .collect();
            let name = tree.last().expect("it names something").to_string();
            let name = if name == "self" { path.last().cloned().unwrap_or_default() } else { name };
            self.imports.push(Import { path, name, is_public });
        }
    }
}

/// The path that `tokens` begin with, and how many of them it takes, a last `::` included.
fn path(tokens: &[TokenTree]) -> (Place, usize) {
    let (mut path, mut at) = (vec![], 0);
    while let Some(TokenTree::Ident(name)) = tokens.get(at) {
        path.push(name.to_string());
        let colons = tokens[at + 1..].iter().take(2).filter(|token| token.to_string() == ":").count();
        at += 1 + if colons == 2 { 2 } else { 0 };
        if colons < 2 {
            break;
        }
    }
    (path, at)
}

/// The modules of a crate that use each other, each group in the order of its names.
fn circles(sources: &BTreeMap<Place, String>) -> Vec<Vec<String>> {
    let modules: BTreeMap<&Place, Module> = sources.iter().map(|(place, text)| (place, Module::read(text))).collect();
    let mut reached: BTreeMap<&Place, BTreeSet<&Place>> =
        modules.keys().map(|place| (*place, used(&modules, place))).collect();
    // As far as it goes through others.
    for through in modules.keys() {
        let further = reached[through].clone();
        for reached in reached.values_mut().filter(|reached| reached.contains(through)) {
            reached.extend(&further);
        }
    }
    let shown = |place: &Place| if place.is_empty() { "crate".to_owned() } else { place.join("::") };
    let mut circles = BTreeSet::new();
    for (place, further) in &reached {
        let circle: Vec<String> =
            further.iter().filter(|other| reached[*other].contains(place)).map(|other| shown(other)).collect();
        circles.extend((!circle.is_empty()).then_some(circle));
    }
    circles.into_iter().collect()
}

/// The modules that the module at `place` uses.
fn used<'a>(modules: &BTreeMap<&'a Place, Module>, place: &Place) -> BTreeSet<&'a Place> {
    let module = &modules[place];
    let counts = |import: &&Import| !import.is_public || module.names.contains(&import.name);
    let paths = module.imports.iter().filter(counts).map(|import| &import.path).chain(&module.paths);
    let mut used: BTreeSet<_> = paths.filter_map(|path| owner(modules, place, path, 0)).collect();
    used.remove(place);
    used
}

/// The module that has what `path` leads to, as seen from `from`; `None` if another crate has it.
fn owner<'a>(modules: &BTreeMap<&'a Place, Module>, from: &Place, path: &[String], depth: usize) -> Option<&'a Place> {
    assert!(depth < 10, "{path:?} in {from:?} leads nowhere");
    let (mut at, mut rest) = match path.first()?.as_str() {
        "crate" => (vec![], &path[1..]),
        "self" | "super" => (from.clone(), path),
        child if modules.contains_key(&[&from[..], &[child.to_owned()]].concat()) => (from.clone(), path),
        _ => return None,
    };
    while let Some((first, others)) = rest.split_first() {
        match first.as_str() {
            "self" => {}
            "super" => drop(at.pop()),
            _ if modules.contains_key(&[&at[..], std::slice::from_ref(first)].concat()) => at.push(first.clone()),
            name => {
                let import = modules[&at].imports.iter().find(|import| import.name == name);
                let Some(import) = import else { break };
                return owner(modules, &at, &[&import.path, others].concat(), depth + 1);
            }
        }
        rest = others;
    }
    modules.get_key_value(&at).map(|(place, _)| *place)
}

/// The modules of the crate whose root is the file `root`, tests aside.
fn sources(root: &Path) -> BTreeMap<Place, String> {
    let folder = root.parent().expect("a file lies in a folder");
    let mut sources = BTreeMap::new();
    for (path, text) in super::sources(&folder.display().to_string()) {
        let path = Path::new(&path);
        let place = path.with_extension("").strip_prefix(folder).expect("it lies below").to_owned();
        let mut place: Place = place.iter().map(|name| name.display().to_string()).collect();
        let is_root = path == root;
        let other_root = place.len() == 1 && ["main", "lib"].contains(&place[0].as_str());
        if is_root {
            place.clear();
        }
        if (is_root || !other_root) && place.last().is_none_or(|name| name != "tests") {
            sources.insert(place, text);
        }
    }
    sources
}

#[test]
fn no_two_modules_use_each_other() {
    let mut found = vec![];
    for package in super::packages() {
        // A program beside a library has a file, and an example is one.
        let has_library = package.targets.iter().any(|target| target.is_lib());
        let roots = package.targets.iter().filter(|target| !(target.is_example() || has_library && target.is_bin()));
        for target in roots {
            let circles = circles(&sources(target.src_path.as_std_path()));
            found.extend(circles.into_iter().map(|circle| format!("{}: {}", target.name, circle.join(", "))));
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[track_caller]
fn check(sources: &[(&str, &str)], expected: &[&[&str]]) {
    let place = |name: &str| name.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect::<Place>();
    let sources = sources.iter().map(|(name, text)| (place(name), (*text).to_owned())).collect();
    assert_eq!(circles(&sources), expected);
}

#[test]
fn a_circle_is_found_however_it_is_made() {
    let root = ("", "mod a; mod b; pub use a::{A, other::{self, Thing}};");
    check(&[root, ("a", "use crate::b::B;"), ("b", "fn f() { super::a::f() }")], &[&["a", "b"]]);
    check(&[root, ("a", "use super::{b::{self, C as D}};"), ("b", "use crate::A;")], &[&["a", "b"]]);
    check(&[root, ("a", "use crate::b;"), ("b", "fn f() { vec![crate::A] }")], &[&["a", "b"]]);
    check(
        &[("", "mod a; mod b; fn f() { a::f() }"), ("a", "use crate::b::B;"), ("b", "use crate::f;")],
        &[&["crate", "a", "b"]],
    );
    check(&[root, ("a", "mod c; fn f() { c::g() }"), ("a::c", "use super::f;")], &[&["a", "a::c"]]);
    check(&[root, ("a", "mod c; pub use c::G; struct F(G);"), ("a::c", "use super::F;")], &[&["a", "a::c"]]);
}

#[test]
fn what_is_no_use_makes_no_circle() {
    let root = ("", "mod a; mod b; pub use a::A;");
    check(&[root, ("a", "/// See [`crate::b`].\nstruct A;"), ("b", "use crate::A;")], &[]);
    check(
        &[
            root,
            ("a", "#[cfg(test)] mod tests { use crate::b::B; }\n#[cfg(test)] use crate::b;"),
            ("b", "use crate::A;"),
        ],
        &[],
    );
    check(&[root, ("a", "mod c; pub(crate) use c::G;"), ("a::c", "use super::F;")], &[]);
    check(&[root, ("a", "use b::B;"), ("b", "use crate::A; const TEXT: &str = \"crate::a\";")], &[]);
}
