//! What became of the cases of one set.

use std::fmt;

use burn_hebbian::nn::forms::Forms;

use crate::{
    case::Case,
    family::{Verdict, verdict},
    run,
};

/// How many cases went which way.
#[derive(Default)]
pub(crate) struct Tally {
    passed: usize,
    failed: usize,
    not_yet: usize,
    deviations: usize,
}

impl Tally {
    pub(crate) fn of(cases: &[Case], forms: Forms) -> Self {
        let mut tally = Self::default();
        for case in cases {
            tally.count(case, forms);
        }
        tally
    }

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

    /// A set of which no case was compared proves nothing.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        match self {
            Self { passed: 0, failed: 0, .. } => Err("no golden case was compared".into()),
            Self { failed: 0, .. } => Ok(()),
            Self { failed, .. } => Err(format!("{failed} golden cases failed")),
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, not_yet, deviations } = self;
        write!(f, "{passed} passed, {failed} failed, {not_yet} not yet, {deviations} deviations")
    }
}
