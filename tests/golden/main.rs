//! Golden vectors: Hebbian updates computed by the authors' own code.
//!
//! Reads every case of a folder, builds a public configuration from its `family` and `hyper`, runs it through a Hebbian
//! module, `observe`, `finish` and plain SGD, and compares `out`, `delta_w`, `w1` and `w5`. Nothing here is keyed to a
//! case's name or values. Once with the forms that layers choose, and once with each form forced.
//!
//! Some cases are part of the repository and always run (`few_golden_vectors`). All of them (`golden_vectors`) are in the
//! folder `HEBBIAN_GOLDEN`, which must then hold cases, or in `../shared/golden` beside the project; without either they
//! are listed as ignored. Vectors of feedback have a folder of their own, see [`feedback`].

mod case;
mod compare;
mod family;
mod feedback;
mod run;
mod spikes;
mod tally;

use std::{collections::BTreeSet, env, path::PathBuf, process::ExitCode};

use burn_hebbian::nn::forms::Forms;
use burn_hebbian_tests::forms;
use libtest_mimic::{Arguments, Failed, Trial};

use case::load_cases;
use tally::Tally;

fn main() -> ExitCode {
    let absent = folder().is_none();
    let mut trials = vec![Trial::test("few_golden_vectors::no_foreign_family", no_foreign_family)];
    for (suffix, forms) in choices() {
        trials.push(Trial::test(format!("few_golden_vectors{suffix}"), move || few_golden_vectors(forms)));
        let all = Trial::test(format!("golden_vectors{suffix}"), move || golden_vectors(forms));
        trials.push(all.with_ignored_flag(absent));
    }
    trials.push(spikes::trial());
    trials.extend(feedback::trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The forms that layers choose, and each form forced.
fn choices() -> impl Iterator<Item = (String, Forms)> {
    let forced = forms::all().into_iter().map(|(name, forms)| (format!("::{name}"), forms));
    [(String::new(), Forms::default())].into_iter().chain(forced)
}

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The cases that are part of the repository.
fn few() -> PathBuf {
    here().join("golden/cases")
}

/// The folder of all cases, or `None` if it was not asked for and is not there.
fn folder() -> Option<PathBuf> {
    let asked = env::var_os("HEBBIAN_GOLDEN").map(PathBuf::from);
    asked.or_else(|| Some(here().join("../../shared/golden")).filter(|beside| beside.is_dir()))
}

fn golden_vectors(forms: Forms) -> Result<(), Failed> {
    let folder = folder().ok_or("HEBBIAN_GOLDEN is not set and there is no ../shared/golden")?;
    let tally = Tally::of(&load_cases(&folder)?, forms);
    println!("golden, {forms:?}: {tally}");
    Ok(tally.verdict()?)
}

fn few_golden_vectors(forms: Forms) -> Result<(), Failed> {
    let tally = Tally::of(&load_cases(&few())?, forms);
    println!("in the repository, {forms:?}: {tally}");
    Ok(tally.verdict()?)
}

/// The cases of the repository are of families that have a rule here.
fn no_foreign_family() -> Result<(), Failed> {
    let known: BTreeSet<_> = family::known().collect();
    let cases = load_cases(&few())?;
    match cases.iter().find(|case| !known.contains(case.family.as_str())) {
        Some(case) => Err(format!("family without a rule: {}", case.family).into()),
        None => Ok(()),
    }
}
