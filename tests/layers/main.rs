//! Imports run one way: between the crates from the facade down to the core, and between modules side by side, in the root
//! of a crate or in a module, without circles. What only tests use does not count.

mod graph;
mod source;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use graph::Arrows;

/// The crates from bottom to top; each may use those before it.
const CRATES: [&str; 8] = [
    "burn-hebbian-core",
    "burn-hebbian-nn",
    "burn-hebbian-optim",
    "burn-hebbian-feedback",
    "burn-hebbian-spikes",
    "burn-hebbian-train",
    "burn-hebbian-lab",
    "burn-hebbian",
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates")
}

/// All modules of a crate with their texts; its root is the empty path.
fn modules(name: &str) -> Vec<(Vec<String>, String)> {
    let mut files = Vec::new();
    walk(&crates().join(name).join("src"), &[], &mut files);
    assert!(!files.is_empty(), "no sources of {name}");
    files
}

fn walk(folder: &Path, module: &[String], files: &mut Vec<(Vec<String>, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_string();
        let inner = [module, std::slice::from_ref(&stem)].concat();
        if path.is_dir() {
            walk(&path, &inner, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let module = if ["lib", "mod"].contains(&stem.as_str()) { module.to_vec() } else { inner };
            files.push((module, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The root of a crate, and what of its modules has modules in it.
fn parents(modules: &[(Vec<String>, String)]) -> BTreeSet<Vec<String>> {
    modules.iter().filter_map(|(module, _)| Some(module.split_last()?.1.to_vec())).collect()
}

/// The crates of ours that a manifest names as dependencies, those of tests included.
fn dependencies(manifest: &str) -> Vec<&str> {
    let mut counts = false;
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            counts = line.contains("dependencies");
        }
        let name = line.split([' ', '.', '=']).next().unwrap_or_default();
        if counts && name.starts_with("burn-hebbian") {
            found.push(name);
        }
    }
    found
}

/// What uses a crate that is not below it.
fn upward(name: &str, manifest: &str) -> Vec<String> {
    let place = |name: &str| CRATES.iter().position(|known| *known == name);
    let wrong =
        dependencies(manifest).into_iter().filter(|used| place(used) >= place(name) || place(used).is_none());
    wrong.map(|used| format!("{name} uses {used}")).collect()
}

#[test]
fn crates_use_those_below_them() {
    let mut wrong = Vec::new();
    let mut found = 0;
    for entry in fs::read_dir(crates()).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap();
        assert!(CRATES.contains(&name), "{name} has no place in the order of the crates");
        wrong.extend(upward(name, &fs::read_to_string(folder.join("Cargo.toml")).unwrap()));
        found += 1;
    }
    assert_eq!(found, CRATES.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn modules_use_each_other_one_way() {
    let mut circles = Vec::new();
    let mut users = 0;
    for name in CRATES {
        let modules = modules(name);
        for parent in parents(&modules) {
            let arrows = Arrows::within(&parent, &modules);
            users += arrows.users();
            let place = [&[name.to_string()], parent.as_slice()].concat().join("::");
            circles.extend(arrows.circles().into_iter().map(|circle| format!("{place}: {circle}")));
        }
    }
    // of some hundreds of modules: the sources are read
    assert!(users > 150, "only {users} modules use another");
    assert!(circles.is_empty(), "circles of imports:\n{}", circles.join("\n"));
}

#[test]
fn a_crate_that_uses_one_above_it_is_found() {
    let manifest = "[package]\nname = \"burn-hebbian-nn\"\n[dependencies]\nburn-hebbian-core = 1\n";
    assert!(upward("burn-hebbian-nn", manifest).is_empty());
    let wrong = format!("{manifest}[dev-dependencies]\nburn-hebbian-optim.workspace = true\n");
    assert_eq!(upward("burn-hebbian-nn", &wrong), ["burn-hebbian-nn uses burn-hebbian-optim"]);
}

/// The circles of a crate of these modules.
fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let path =
        |module: &str| module.split("::").filter(|part| !part.is_empty()).map(str::to_string).collect();
    let files: Vec<_> = files.iter().map(|(module, text)| (path(module), text.to_string())).collect();
    parents(&files).iter().flat_map(|parent| Arrows::within(parent, &files).circles()).collect()
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    let back = "use crate::a::A;";
    let ways = [
        "use crate::b::B;",
        "use crate::{c::C, b::{self, B}};",
        "use super::b;",
        "fn f() { crate::b::g(1 / 2) }",
        "fn f() -> super::b::B<'static> { let _ = ('\"', \"}\", r#\"\"}\"#); super::b::B }",
        "mod inner { use super::super::b::B; }",
        "use crate::B;", // by the name that the root gives it
        "/* } */ macro_rules! m { () => { $crate::b::B } }",
    ];
    for way in ways {
        let found = circles(&[("", "mod a; mod b; pub use b::B;"), ("a", way), ("b", back)]);
        assert!(found.len() == 1 && found[0].starts_with("a → b → a"), "{way}: {found:?}");
    }
    let longer =
        [("", ""), ("a::x", "use super::super::b::B;"), ("b", "use crate::c::C;"), ("c", back), ("a", "")];
    assert!(circles(&longer)[0].starts_with("a → b → c → a"));
    let deeper = [
        ("", ""),
        ("m", "mod a; mod b; pub use b::B;"),
        ("m::a", "use crate::m::B;"),
        ("m::b", "use super::a::A;"),
    ];
    assert!(circles(&deeper)[0].starts_with("a → b → a"));
}

#[test]
fn what_is_no_circle_is_not_found() {
    let back = "use crate::a::A;";
    let ways = [
        "use burn::b::B;",
        "// use crate::b::B;",
        "#[cfg(test)] mod tests { use crate::b::B; }",
        "#[cfg(test)] use crate::b::B;",
        "#[cfg(test)] #[allow(unused)] fn f() -> [u8; 1] { crate::b::g() }",
        "const TEXT: &str = \"crate::b::B\";",
        "mod b { pub struct B; } use self::b::B;",
        "use crate::C;",
    ];
    for way in ways {
        let found =
            circles(&[("", "mod a; mod b; mod c; pub use c::C;"), ("a", way), ("b", back), ("c", "")]);
        assert!(found.is_empty(), "{way}: {found:?}");
    }
    let tests = [
        ("", "mod a; #[cfg(test)] mod b;"),
        ("a", "#[cfg(test)] mod t;"),
        ("b", back),
        ("a::t", "use crate::b::B;"),
    ];
    assert!(circles(&tests).is_empty());
}
