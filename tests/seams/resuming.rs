//! What wrote a thing can read it.

use std::fs;

use burn::{
    lr_scheduler::exponential::ExponentialLrSchedulerConfig,
    module::Module,
    nn::conv::Conv2dConfig,
    optim::{AdamConfig, AdamWConfig, RmsPropConfig, SgdConfig, momentum::MomentumConfig},
};
use burn_hebbian::{
    optim::{
        Entry, OptimizerChoice,
        checkpoint::{CheckpointError, Checkpoints, Progress, Training},
    },
    prelude::*,
    rules::{Activity, Factors},
};
use burn_hebbian_tests::{
    course::{bits, epoch, fresh},
    net::{Net, PlainNet},
    values,
};
use libtest_mimic::Trial;

use crate::{device, kind};

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(_, fn()); _] = [
        ("any_optimizer_and_rate_of_a_plan_resumes", optimizers),
        ("any_float_resumes", floats),
        ("rules_of_ones_own_resume", custom_rules),
        ("a_run_resumes_in_any_epoch_of_any_phase", any_epoch),
        ("changed_rates_are_said", changed_rates),
        ("killed_while_it_replaces_a_checkpoint", killed),
        ("a_plain_record_loads_into_a_layer_with_state", plain_record),
    ];
    kind("resuming", tests)
}

fn swta() -> Entry {
    Entry::local("conv2", Rule::swta()).at_rate(0.05)
}

/// Trained two epochs at once, and with a stop in between: the same bits.
fn resumes(plan: &Plan) {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path());
    let training = epoch(fresh(plan, 3));
    checkpoints.save(&training).unwrap();
    let whole = epoch(training);
    let resumed = checkpoints.resume(fresh(plan, 3)).unwrap_or_else(|error| panic!("{plan:?}: {error}"));
    assert_eq!(bits(&epoch(resumed).model), bits(&whole.model), "{plan:?}");
}

fn optimizers() {
    let momentum = SgdConfig::new().with_momentum(Some(MomentumConfig::new()));
    let choices: [OptimizerChoice; 5] = [
        SgdConfig::new().into(),
        momentum.into(),
        AdamConfig::new().into(),
        AdamWConfig::new().with_weight_decay(0.013).into(),
        RmsPropConfig::new().into(),
    ];
    for choice in choices {
        resumes(
            &Plan::new()
                .with(swta())
                .with(Entry::frozen("conv1"))
                .with(Entry::backprop("fc").by(choice.clone())),
        );
        resumes(&Plan::new().with(Entry::frozen("conv1")).with(swta().by(choice)));
    }
}

/// Numbers that a careless parser reads back one bit off.
fn floats() {
    for i in 0..40 {
        let seed = values::numbers(i, 3);
        let rate = f64::from(seed[0]).abs() * 0.1 + 1e-4;
        let shares = LocalTraining::new(Rule::swta())
            .with_shares(f64::from(seed[1]).abs() / 3.0, 0.1 + f64::from(seed[2]).abs() / 7.0);
        let plan = Plan::new()
            .with(
                Entry::local("conv2", shares)
                    .at_rate(ExponentialLrSchedulerConfig::new(rate, 0.1 + 0.9 / (i + 3) as f64)),
            )
            .frozen("conv1");
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan, "{text}");
        if i < 4 {
            resumes(&plan);
        }
    }
}

/// Competes by nothing, learns by everything.
#[derive(Debug)]
struct Own {
    strength: f64,
}

impl LocalRule for Own {
    fn factors(&self, activity: &Activity) -> Factors {
        Factors::new(activity.dot().mul_scalar(self.strength))
    }
}

fn custom_rules() {
    let plan = |strength| {
        let entry = Entry::local("conv2", LocalTraining::custom(Own { strength })).at_rate(0.001);
        Plan::new().with(entry).frozen("conv1")
    };
    resumes(&plan(0.3));
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path());
    checkpoints.save(&epoch(fresh(&plan(0.3), 3))).unwrap();
    let refused = checkpoints.resume(fresh(&plan(0.4), 3)).map(drop).unwrap_err();
    assert!(
        matches!(&refused, CheckpointError::Foreign { theirs, ours, .. } if theirs.contains("0.3") && ours.contains("0.4")),
        "{refused}"
    );
}

/// Phases with rules of different states, and one by backprop.
fn phased() -> Plan {
    let falling = ExponentialLrSchedulerConfig::new(0.05, 0.9);
    Plan::new()
        .with(Entry::local("conv2", Rule::abstaining_wta(11)).at_rate(falling).in_epochs(..=2))
        .with(Entry::local("conv2", Rule::bcm()).at_rate(0.01).in_epochs(3..=4))
        .with(Entry::backprop("conv1|conv2|fc").by(AdamConfig::new()).in_epochs(5..))
}

fn any_epoch() {
    let plan = phased();
    let run = |stop: usize| {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints::new(folder.path()).keeping(1);
        let mut training = fresh(&plan, 5);
        for done in 1..=6 {
            training = epoch(training);
            checkpoints.save(&training).unwrap();
            if done == stop {
                training = checkpoints.resume(fresh(&plan, 5)).unwrap();
            }
        }
        values::bits(&training.model)
    };
    let whole = run(0);
    for stop in 1..=5 {
        assert_eq!(run(stop), whole, "stopped after epoch {stop}");
    }
}

fn changed_rates() {
    let plan =
        |rate: f64| Plan::new().with(Entry::local("conv2", Rule::swta()).at_rate(rate)).frozen("conv1");
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path());
    checkpoints.save(&epoch(fresh(&plan(0.05), 3))).unwrap();
    let refused = checkpoints.resume(fresh(&plan(0.01), 3)).map(drop).unwrap_err();
    assert!(matches!(&refused, CheckpointError::Foreign { what, .. } if what.contains("rate")), "{refused}");
    let slower = checkpoints.resume_at_new_rates(fresh(&plan(0.0), 3)).unwrap();
    assert_eq!(slower.progress.epochs, 1);
    let before = values::vec(slower.model.conv2.layer().weight.val());
    let after = epoch(slower).model;
    assert_eq!(values::vec(after.conv2.layer().weight.val()), before, "at a rate of 0");
    let other = Plan::new().with(Entry::local("conv2", Rule::hebb()).at_rate(0.05)).frozen("conv1");
    assert!(checkpoints.resume_at_new_rates(fresh(&other, 3)).is_err(), "another rule is another training");
}

/// One checkpoint is kept, and written again: at no moment is there none.
fn killed() {
    let plan = Plan::new().with(swta()).frozen("conv1");
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path()).keeping(1);
    let training = epoch(fresh(&plan, 3));
    checkpoints.save(&training).unwrap();
    checkpoints.save(&training).unwrap();
    let expected = bits(&training.model);
    // the old one has stepped aside, the new one has not got its name
    fs::rename(folder.path().join("epoch-1"), folder.path().join("epoch-1.aside")).unwrap();
    fs::create_dir(folder.path().join("epoch-1.partial")).unwrap();
    let resumed = checkpoints.resume(fresh(&plan, 3)).unwrap();
    assert_eq!((resumed.progress, bits(&resumed.model)), (Progress { seed: 3, epochs: 1 }, expected));
    let _: Training<Net> = epoch(resumed);
}

/// Before a plan binds the layer; and a record with state says how it loads into a plain one.
fn plain_record() {
    let plain = || Conv2dConfig::new([3, 16], [3, 3]).with_bias(false).init(&device());
    let layer = || HebbianConv2dConfig::new([3, 16], [3, 3], Rule::bcm()).init(&device());
    let loaded = layer().load_record(plain().into_record());
    let (bound, _) = Plan::new().bind(loaded).unwrap();
    assert!(bound.rule_state().is_some());
    plain().load_record(layer().into_record());
    let record = bound.into_record();
    plain().try_load_record(record.allow_unused(true)).unwrap();
    let _ = PlainNet::new(&device());
}
