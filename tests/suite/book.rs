//! The book: every page is listed, every link leads somewhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use burn_hebbian::prelude::*;
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("book::every_page_is_in_the_summary", every_page_is_in_the_summary),
        Trial::test("book::links_lead_somewhere", links_lead_somewhere),
        Trial::test("book::its_plan_is_a_plan", its_plan_is_a_plan),
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

/// What `](…)` encloses, where it is a path within the book.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let paths = targets.map(|target| target.split('#').next().unwrap_or_default());
    paths.filter(|path| !path.is_empty() && !path.contains("://"))
}

fn its_plan_is_a_plan() -> Result<(), Failed> {
    let page = fs::read_to_string(source().join("plans.md"))?;
    let json = page.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
    let plan: Plan = serde_json::from_str(json)?;
    assert_eq!(plan.phases(8), [1..=5, 6..=8]);
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
        for link in links(&text) {
            assert!(folder.join(link).exists(), "{}: `{link}` is not there", page.display());
        }
    }
    Ok(())
}
