//! Golden vectors: Hebbian updates computed by the authors' own code.
//!
//! Reads every case of the folder `HEBBIAN_GOLDEN` (default `../shared/golden` beside the project), builds a
//! public configuration from its `family` and `hyper`, runs it through a Hebbian module, `observe`, `finish` and
//! plain SGD, and compares `out`, `delta_w`, `w1` and `w5`. Nothing here is keyed to a case's name or values. Once with
//! the forms that layers choose, and once with each form forced.

mod case;
mod compare;
mod family;
mod run;

use std::{env, path::PathBuf, process::ExitCode};

use burn_hebbian::prelude::*;
use burn_hebbian_tests::forms;
use libtest_mimic::{Arguments, Failed, Trial};

use case::{Case, load_cases};
use family::{Verdict, verdict};

fn main() -> ExitCode {
    let mut trials = vec![Trial::test("golden_vectors", || golden_vectors(Forms::default()))];
    trials.extend(
        forms::all().into_iter().map(|(name, forms)| {
            Trial::test(format!("golden_vectors::{name}"), move || golden_vectors(forms))
        }),
    );
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The folder of cases, or `None` if it was not asked for and is not there.
fn folder() -> Option<PathBuf> {
    if let Some(folder) = env::var_os("HEBBIAN_GOLDEN") {
        return Some(PathBuf::from(folder));
    }
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/golden");
    beside.is_dir().then_some(beside)
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    not_yet: usize,
    deviations: usize,
}

fn golden_vectors(forms: Forms) -> Result<(), Failed> {
    let Some(folder) = folder() else {
        println!("golden: skipped, HEBBIAN_GOLDEN is not set and there is no ../shared/golden");
        return Ok(());
    };
    let cases = load_cases(&folder)?;
    let mut tally = Tally::default();
    for case in &cases {
        tally.count(case, forms);
    }
    println!(
        "golden, {forms:?}: {} passed, {} failed, {} not yet, {} deviations",
        tally.passed, tally.failed, tally.not_yet, tally.deviations
    );
    if tally.failed > 0 { Err(format!("{} golden cases failed", tally.failed).into()) } else { Ok(()) }
}

impl Tally {
    fn count(&mut self, case: &Case, forms: Forms) {
        match verdict(case) {
            Ok(Verdict::Run(setup)) => match run::run(case, &setup, forms) {
                Ok(()) => self.passed += 1,
                Err(error) => self.fail(case, &error),
            },
            Ok(Verdict::Deviation(reason)) => {
                println!("deviation  {} ({}): {reason}", case.name, case.family);
                self.deviations += 1;
            }
            Ok(Verdict::NotYet) => {
                println!("not yet    {} ({})", case.name, case.family);
                self.not_yet += 1;
            }
            Err(error) => self.fail(case, &error),
        }
    }

    fn fail(&mut self, case: &Case, error: &str) {
        println!("FAILED     {} ({}): {error}", case.name, case.family);
        self.failed += 1;
    }
}
