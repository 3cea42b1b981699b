//! The modules of a crate, who of them uses whom, and the circles in it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::source::{Reference, read};

/// The names by which modules know what they import, with where that is.
type Imports = BTreeMap<(Vec<String>, String), Vec<String>>;

/// Which of two modules side by side uses which, with one file and path that says so.
#[derive(Debug, Default)]
pub(crate) struct Arrows(BTreeMap<String, BTreeMap<String, String>>);

impl Arrows {
    /// The arrows between the modules that lie in `parent`, the root of a crate or a module of it; `files` are all modules of
    /// the crate with their texts.
    pub(crate) fn within(parent: &[String], files: &[(Vec<String>, String)]) -> Self {
        let contents: Vec<_> = files.iter().map(|(module, text)| read(text, module)).collect();
        let tests: Vec<_> = contents.iter().flat_map(|contents| &contents.tests).collect();
        let is_test = |module: &[String]| tests.iter().any(|test| module.starts_with(test));
        let modules: BTreeSet<Vec<String>> =
            files.iter().map(|(module, _)| module.clone()).filter(|module| !is_test(module)).collect();
        let references: Vec<&Reference> = contents
            .iter()
            .flat_map(|contents| &contents.references)
            .filter(|reference| !is_test(&reference.from))
            .collect();
        // all of a module around (`use super::*`) is no name
        let named = references.iter().filter(|reference| !reference.from.starts_with(&reference.path));
        let imports = named.filter_map(|Reference { from, path, import }| {
            Some(((from.clone(), import.clone()?), path.clone()))
        });
        let imports: Imports = imports.collect();
        let mut arrows = Self::default();
        for Reference { from, path, .. } in references {
            let target = resolved(path, &modules, &imports);
            let child = |module: &[String]| module.strip_prefix(parent).and_then(<[String]>::first).cloned();
            if let (Some(user), Some(used)) = (child(from), child(&target)) {
                arrows.add(&user, &used, format!("{} uses {}", from.join("::"), path.join("::")));
            }
        }
        arrows
    }

    /// `user` uses `used`, and why that is known.
    pub(crate) fn add(&mut self, user: &str, used: &str, why: String) {
        if user != used {
            self.0.entry(user.to_string()).or_default().entry(used.to_string()).or_insert(why);
        }
    }

    /// Who uses anyone.
    pub(crate) fn users(&self) -> usize {
        self.0.len()
    }

    /// One shortest circle through each group of modules that all depend on each other, with the reason of each arrow.
    pub(crate) fn circles(&self) -> Vec<String> {
        let mut told: BTreeSet<&str> = BTreeSet::new();
        let mut circles = Vec::new();
        for start in self.0.keys() {
            if told.contains(start.as_str()) {
                continue;
            }
            let Some(circle) = self.circle(start) else {
                continue;
            };
            let reached = self.reached(start);
            let group = reached.iter().filter(|other| self.reached(other).contains(start.as_str()));
            let group: Vec<&str> = group.copied().collect();
            let arrows = circle.windows(2).map(|pair| format!("\n    {}", self.0[pair[0]][pair[1]]));
            circles.push(format!(
                "{} (of {} that reach each other: {}){}",
                circle.join(" → "),
                group.len(),
                group.join(", "),
                arrows.collect::<String>(),
            ));
            told.extend(group);
        }
        circles
    }

    fn used_by(&self, user: &str) -> impl Iterator<Item = &str> {
        self.0.get(user).into_iter().flatten().map(|(used, _)| used.as_str())
    }

    /// All that `start` uses, at first or second hand.
    fn reached<'a>(&'a self, start: &'a str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut next = vec![start];
        while let Some(module) = next.pop() {
            next.extend(self.used_by(module).filter(|used| reached.insert(*used)));
        }
        reached
    }

    /// The shortest way from `start` back to it.
    fn circle<'a>(&'a self, start: &'a str) -> Option<Vec<&'a str>> {
        let mut ways = VecDeque::from([vec![start]]);
        let mut seen = BTreeSet::new();
        while let Some(way) = ways.pop_front() {
            for used in self.used_by(way[way.len() - 1]) {
                let longer = [way.as_slice(), &[used]].concat();
                if used == start {
                    return Some(longer);
                }
                if seen.insert(used) {
                    ways.push_back(longer);
                }
            }
        }
        None
    }
}

/// The module that `path` leads into, through names that modules on the way import.
fn resolved(path: &[String], modules: &BTreeSet<Vec<String>>, imports: &Imports) -> Vec<String> {
    let mut path = path.to_vec();
    // as many steps as an honest chain of imports has
    for _ in 0..16 {
        let mut depth = 0;
        while depth < path.len() && modules.contains(&path[..=depth]) {
            depth += 1;
        }
        let Some(name) = path.get(depth) else {
            return path;
        };
        match imports.get(&(path[..depth].to_vec(), name.clone())) {
            Some(known) => path = [known.as_slice(), &path[depth + 1..]].concat(),
            None => return path[..depth].to_vec(),
        }
    }
    path
}
