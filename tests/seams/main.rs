//! What a user does in his first weeks: forgets a call, clones a layer, resumes, feeds a batch that is not finite.
//!
//! One file a kind, after the invariants of the local optimizer; each test says what he expects.

mod commit;
mod forgetting;
mod identity;
mod long;
mod orders;
mod resuming;
mod sequences;
mod traversals;

use std::process::ExitCode;

use burn::{
    nn::loss::CrossEntropyLossConfig,
    tensor::{Device, Int, Tensor},
};
use burn_hebbian_tests::{registration::every_file_is_registered, values::tensor};
use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut trials = commit::trials();
    trials.extend(forgetting::trials());
    trials.extend(identity::trials());
    trials.extend(long::trials());
    trials.extend(orders::trials());
    trials.extend(resuming::trials());
    trials.extend(sequences::trials());
    trials.extend(traversals::trials());
    trials.push(Trial::test("every_file_is_registered", || {
        every_file_is_registered("seams", include_str!("main.rs"))
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Tests of one kind.
fn kind<const N: usize>(kind: &str, tests: [(&str, fn()); N]) -> Vec<Trial> {
    let trial = |(name, body): (&str, fn())| {
        Trial::test(format!("{kind}::{name}"), move || {
            body();
            Ok(())
        })
    };
    tests.map(trial).into()
}

/// Where all of it runs: on flex, with autodiff.
fn device() -> Device {
    Device::flex().autodiff()
}

/// Images for [`Net`](burn_hebbian_tests::net::Net).
fn images(seed: u64) -> Tensor<4> {
    tensor(seed, [4, 2, 6, 5], &device())
}

/// The mean cross-entropy of logits, image `i` being of class `i % 3`.
fn loss(logits: Tensor<2>) -> Tensor<1> {
    let labels: Vec<i64> = (0..logits.dims()[0] as i64).map(|image| image % 3).collect();
    let labels = Tensor::<1, Int>::from_ints(labels.as_slice(), &logits.device());
    CrossEntropyLossConfig::new().init(&logits.device()).forward(logits, labels)
}
