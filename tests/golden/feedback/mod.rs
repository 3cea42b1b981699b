//! Golden vectors of feedback: settled states, the updates that follow from them, and the elementary operations.
//!
//! Reads every case of the folder `HEBBIAN_GOLDEN_FEEDBACK`, which must then hold cases, or of `../shared/golden-feedback` beside the
//! project; without either the trials are listed as ignored. Each case becomes a public configuration by its `family` and `hyper`, and
//! is run in single precision, within five times the error that the case states for it, and in double precision.

mod case;
mod chain;
mod compare;
mod dual;
mod elementary;
mod forward_forward;
mod hyper;
mod settle;

use std::{env, fmt, path::PathBuf};

use burn::tensor::DType;
use libtest_mimic::{Failed, Trial};

use self::{
    case::{Case, load_cases},
    compare::Comparison,
};

pub(crate) fn trials() -> Vec<Trial> {
    let absent = folder().is_none();
    vec![Trial::test("golden_feedback_vectors", golden).with_ignored_flag(absent)]
}

/// The folder of all cases, or `None` if it was not asked for and is not there.
fn folder() -> Option<PathBuf> {
    let asked = env::var_os("HEBBIAN_GOLDEN_FEEDBACK").map(PathBuf::from);
    asked.or_else(|| {
        let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/golden-feedback");
        Some(beside).filter(|beside| beside.is_dir())
    })
}

/// How a family is run.
type Run = fn(&Case, &mut Comparison) -> Result<(), String>;

/// Every family that there is something for.
const FAMILIES: &[(&str, Run)] = &[
    ("settle_energy", settle::phases),
    ("settle_prototype", settle::phases),
    ("settle_readout", settle::phases),
    ("chl_sigmoid", settle::phases),
    ("settle_slope", settle::slope),
    ("chl_linear_output", settle::weak_feedback),
    ("dual_propagation", dual::relaxed),
    ("dual_propagation_fast", dual::fast),
    ("scff_conv", forward_forward::self_contrastive),
    ("feedback", elementary::feedback),
    ("apical", elementary::apical),
];

/// Cases that differ on purpose, by a family and the reason.
const DEVIATIONS: &[(&str, &str)] = &[];

/// How many cases went which way.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    not_yet: usize,
    deviations: usize,
}

impl Tally {
    fn count(&mut self, case: &Case, dtype: DType) {
        let said = |list: &[(&'static str, &'static str)]| {
            list.iter().find(|(family, _)| *family == case.family).map(|(_, reason)| *reason)
        };
        if let Some(reason) = said(DEVIATIONS) {
            println!("deviation  {} ({}): {reason}", case.name, case.family);
            self.deviations += 1;
            return;
        }
        let Some((_, run)) = FAMILIES.iter().find(|(family, _)| *family == case.family) else {
            println!("not yet    {} ({})", case.name, case.family);
            self.not_yet += 1;
            return;
        };
        let mut comparison = Comparison::of(case, dtype);
        match run(case, &mut comparison).and_then(|()| comparison.verdict()) {
            Ok(worst) => {
                if dtype == DType::F32 {
                    println!("passed     {} ({}): {worst}", case.name, case.family);
                }
                self.passed += 1;
            }
            Err(error) => {
                println!("FAILED     {} ({}): {error}", case.name, case.family);
                self.failed += 1;
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, not_yet, deviations } = self;
        write!(f, "{passed} passed, {failed} failed, {not_yet} not yet, {deviations} deviations")
    }
}

/// In double precision, then in single precision, whose tally is the last line.
fn golden() -> Result<(), Failed> {
    let folder =
        folder().ok_or("HEBBIAN_GOLDEN_FEEDBACK is not set and there is no ../shared/golden-feedback")?;
    let cases = load_cases(&folder)?;
    let tallies = [("golden feedback, double precision", DType::F64), ("golden feedback", DType::F32)];
    let tallies = tallies.map(|(what, dtype)| {
        let mut tally = Tally::default();
        cases.iter().for_each(|case| tally.count(case, dtype));
        println!("{what}: {tally}");
        tally
    });
    tallies.iter().try_for_each(|tally| match tally {
        // a set of which no case was compared proves nothing
        Tally { passed: 0, failed: 0, .. } => Err("no golden case was compared".into()),
        Tally { failed: 0, .. } => Ok(()),
        Tally { failed, .. } => Err(format!("{failed} golden cases of feedback failed").into()),
    })
}
