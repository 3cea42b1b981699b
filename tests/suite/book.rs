//! The book: every page is listed, every link and picture leads somewhere, to a heading that is there where it names one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use burn_hebbian::{
    prelude::*,
    rules::{Reduction, Scale},
};
use libtest_mimic::{Failed, Trial};
use serde::de::DeserializeOwned;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("book::every_page_is_in_the_summary", every_page_is_in_the_summary),
        Trial::test("book::links_lead_somewhere", links_lead_somewhere),
        Trial::test("book::its_plan_is_a_plan", its_plan_is_a_plan),
        Trial::test("book::its_rules_are_rules", its_rules_are_rules),
        Trial::test("book::it_names_every_preset", it_names_every_preset),
    ]
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src")
}

/// The Markdown files of a folder and the folders in it.
fn pages(folder: &Path) -> Result<Vec<PathBuf>, Failed> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            pages.extend(self::pages(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    Ok(pages)
}

/// What `](…)` encloses, where it is within the book: a path, empty for the same page, and a heading or none.
fn targets(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let inside = targets.filter(|target| !target.contains("://"));
    inside.map(|target| match target.split_once('#') {
        Some((path, heading)) => (path, Some(heading)),
        None => (target, None),
    })
}

/// The paths that it links to.
fn links(text: &str) -> impl Iterator<Item = &str> {
    targets(text).map(|(path, _)| path).filter(|path| !path.is_empty())
}

/// The names by which mdbook links to the headings of a page.
fn anchors(text: &str) -> Vec<String> {
    let outside = text.split("```").step_by(2).flat_map(str::lines);
    let headings =
        outside.filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let letter = |c: char| match c {
        _ if c.is_alphanumeric() || c == '_' || c == '-' => Some(c.to_ascii_lowercase()),
        _ => c.is_whitespace().then_some('-'),
    };
    headings.map(|heading| heading.chars().filter_map(letter).collect()).collect()
}

/// What the first block of JSON on a page says.
fn json<T: DeserializeOwned>(page: &str) -> Result<T, Failed> {
    let page = fs::read_to_string(source().join(page))?;
    let json = page.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
    Ok(serde_json::from_str(json)?)
}

fn its_plan_is_a_plan() -> Result<(), Failed> {
    let plan: Plan = json("plans.md")?;
    assert_eq!(plan.phases(8), [1..=5, 6..=8]);
    Ok(())
}

fn its_rules_are_rules() -> Result<(), Failed> {
    let rules: Vec<Rule> = json("concepts.md")?;
    let mean = Rule::k_wta(3).with_reduction(Reduction::Mean);
    let scaled = Rule::oja().with_scale(Scale::InverseSqrtFanIn);
    assert_eq!(rules, [Rule::swta(), Rule::soft_hebb(1.0), mean, scaled]);
    Ok(())
}

/// The error for an unknown preset lists all of them.
fn it_names_every_preset() -> Result<(), Failed> {
    let page = fs::read_to_string(source().join("concepts.md"))?;
    let error = serde_json::from_str::<Rule>(r#""?""#).unwrap_err().to_string();
    let known = error.split_once("known: ").ok_or(error.clone())?.1;
    let names = known.split(" at line").next().unwrap_or_default().split(", ");
    let missing: Vec<_> = names.filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "the page does not name {missing:?}");
    Ok(())
}

fn every_page_is_in_the_summary() -> Result<(), Failed> {
    let summary = fs::read_to_string(source().join("SUMMARY.md"))?;
    let listed: Vec<PathBuf> = links(&summary).map(|link| source().join(link)).collect();
    assert!(listed.len() > 30, "the summary lists {} pages", listed.len());
    for page in pages(&source())? {
        assert!(page.ends_with("SUMMARY.md") || listed.contains(&page), "{} is not listed", page.display());
    }
    Ok(())
}

fn links_lead_somewhere() -> Result<(), Failed> {
    for page in pages(&source())? {
        let text = fs::read_to_string(&page)?;
        let folder = page.parent().unwrap_or(Path::new("."));
        for (path, heading) in targets(&text) {
            let target = if path.is_empty() { page.clone() } else { folder.join(path) };
            assert!(target.exists(), "{}: `{path}` is not there", page.display());
            if let Some(heading) = heading {
                let known = anchors(&fs::read_to_string(&target)?);
                assert!(
                    known.iter().any(|known| known == heading),
                    "{}: `{path}` has no `{heading}`",
                    page.display()
                );
            }
        }
    }
    Ok(())
}
