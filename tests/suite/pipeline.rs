//! Stages that learn at once: the weights of ordinary training, number for number.

use std::collections::VecDeque;

use burn::{
    lr_scheduler::linear::LinearLrSchedulerConfig,
    module::{Module, Param},
    nn::{
        BatchNormConfig, Linear, LinearConfig,
        conv::{Conv2d, Conv2dConfig},
        loss::CrossEntropyLossConfig,
    },
    optim::AdamConfig,
    tensor::{Device, Int, Tensor, activation::relu},
};
use burn_hebbian::{
    nn::SyncBatchNorm,
    optim::{
        Entry, Rest,
        checkpoint::{Checkpoints, Progress, Training},
    },
    prelude::*,
    train::pipeline::{Pipeline, PipelineError, Staged},
};
use burn_hebbian_tests::values::{assert_close, tensor, vec};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_every_backend("pipeline::stages_on_other_devices", stages_on_other_devices);
    trials.extend([
        on_flex("pipeline::equals_ordinary_training", equals_ordinary_training),
        on_flex("pipeline::delays_equal_delayed_training", delays_equal_delayed_training),
        on_flex("pipeline::in_turn_is_the_same_schedule", in_turn_is_the_same_schedule),
        on_flex("pipeline::goes_on_from_a_checkpoint", goes_on_from_a_checkpoint),
        on_flex("pipeline::failures_name_their_stage", failures_name_their_stage),
    ]);
    trials
}

/// Two local stages and a classifier that learns by backprop.
#[derive(Module, Debug)]
struct Net {
    conv1: Local<Conv2d>,
    norm1: SyncBatchNorm,
    conv2: Local<Conv2d>,
    norm2: SyncBatchNorm,
    fc: Linear,
}

/// Values `[n, …]` as far as they have come, and their classes.
#[derive(Debug, Clone)]
struct Batch {
    values: Tensor<4>,
    classes: Tensor<1, Int>,
}

impl Net {
    /// The same weights every time; nothing is shared with another net.
    fn new(device: &Device) -> Self {
        let mut conv1 = Conv2dConfig::new([2, 4], [3, 3]).with_bias(false).init(device);
        let mut conv2 = Conv2dConfig::new([4, 5], [2, 2]).with_bias(false).init(device);
        let mut fc = LinearConfig::new(30, 3).with_bias(false).init(device);
        conv1.weight = Param::from_tensor(tensor(31, [4, 2, 3, 3], device));
        conv2.weight = Param::from_tensor(tensor(32, [5, 4, 2, 2], device));
        fc.weight = Param::from_tensor(tensor(33, [30, 3], device));
        let norm = |channels| SyncBatchNorm::new(BatchNormConfig::new(channels).init(device));
        let (conv1, conv2) = (Local::new(conv1), Local::new(conv2));
        Self { conv1, norm1: norm(4), conv2, norm2: norm(5), fc }
    }
}

impl Staged for Net {
    type Flow = Batch;

    fn stages(&self) -> usize {
        3
    }

    fn run(&self, stage: usize, Batch { values, classes }: Batch) -> Batch {
        let values = match stage {
            0 => relu(self.norm1.forward(self.conv1.forward(values))),
            1 => relu(self.norm2.forward(self.conv2.forward(values))),
            _ => self.fc.forward(values.flatten::<2>(1, 3)).unsqueeze_dims(&[2, 3]),
        };
        Batch { values, classes }
    }

    fn hand_on(Batch { values, classes }: Batch, device: &Device) -> Batch {
        Batch { values: values.to_device(device).detach(), classes: classes.to_device(device) }
    }

    fn loss(&self, stage: usize, output: &Batch) -> Option<Tensor<1>> {
        let loss = CrossEntropyLossConfig::new().init(&output.values.device());
        (stage == 2).then(|| loss.forward(output.values.clone().flatten(1, 3), output.classes.clone()))
    }
}

/// For what the plan gives no rate of its own: nothing.
const RATE: f64 = 1.0;

fn plan() -> Plan {
    let rates = LinearLrSchedulerConfig::new(0.05, 0.01, 20);
    Plan::new()
        .with(Entry::local("conv1", Rule::swta()).at_rate(rates.clone()))
        .with(Entry::local("conv2", Rule::bcm()).at_rate(rates.clone()))
        .with(Entry::backprop("fc").at_rate(rates))
        // γ and β stand still, running statistics move
        .with_rest(Rest::Frozen)
}

fn training(device: &Device) -> Training<Net> {
    let (model, optim) = plan().init(Net::new(device), AdamConfig::new()).unwrap();
    Training { progress: Progress { seed: 0, epochs: 0 }, model, optim }
}

/// One epoch; the last batch is smaller.
fn batches(epoch: u64, device: &Device) -> Vec<Batch> {
    let batch = |number: u64| {
        let n = if number == 6 { 3 } else { 5 };
        let classes: Vec<i64> = (0..n).map(|i| ((i + number) % 3) as i64).collect();
        let values = tensor(100 + 10 * epoch + number, [n as usize, 2, 6, 5], device);
        Batch { values, classes: Tensor::from_ints(classes.as_slice(), device) }
    };
    (0..7).map(batch).collect()
}

fn weights(net: &Net) -> Vec<f64> {
    let state = |layer: &Local<Conv2d>| layer.rule_state().map(vec).unwrap_or_default();
    let Net { conv1, conv2, fc, .. } = net;
    let layers = [vec(conv1.layer().weight.val()), vec(conv2.layer().weight.val()), vec(fc.weight.val())];
    [layers.concat(), state(conv1), state(conv2)].concat()
}

fn statistics(net: &Net) -> Vec<f64> {
    let norms = [&net.norm1, &net.norm2].map(|norm| norm.norm().valid());
    norms.map(|norm| [vec(norm.running_mean.value()), vec(norm.running_var.value())].concat()).concat()
}

/// The ordinary loop, whole passes and steps, in which weights are published `delay` batches late.
fn ordinary(delay: usize, epochs: u64, device: &Device) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let Training { mut model, mut optim, .. } = training(device);
    let mut scores = Vec::new();
    for epoch in 0..epochs {
        let mut late = VecDeque::new();
        let batches = batches(epoch, device);
        let ends = (0..delay).map(|_| None);
        for batch in batches.into_iter().map(Some).chain(ends) {
            if let Some(batch) = batch {
                let ((output, loss), seen) = optim
                    .observe(&model, Signals::none(), |model| {
                        let output = (0..3).fold(batch, |batch, stage| model.run(stage, batch));
                        let loss = model.loss(2, &output).expect("the last stage has one");
                        (output, loss)
                    })
                    .unwrap();
                scores.extend(vec(output.values));
                late.push_back(seen.backward(loss).unwrap());
                if late.len() <= delay {
                    continue;
                }
            }
            let Some(updates) = late.pop_front() else { continue };
            model = optim.step(RATE, model, updates).unwrap();
        }
    }
    (weights(&model), statistics(&model), scores)
}

fn pipelined(pipeline: &Pipeline, epochs: u64, device: &Device) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (mut training, mut scores) = (training(device), Vec::new());
    for epoch in 0..epochs {
        let output = |batch: Batch| scores.extend(vec(batch.values));
        pipeline.train(&mut training, batches(epoch, device), output).unwrap();
    }
    (weights(&training.model), statistics(&training.model), scores)
}

/// Bit for bit: weights, rule state, running statistics, and every output on the way.
fn equals_ordinary_training(device: &Device) {
    let device = device.clone().autodiff();
    let (expected, statistics, scores) = ordinary(0, 3, &device);
    assert_ne!(expected, weights(&training(&device).model));
    let got = pipelined(&Pipeline::at_rate(RATE), 3, &device);
    assert_eq!(got, (expected, statistics, scores));
}

fn delays_equal_delayed_training(device: &Device) {
    let device = device.clone().autodiff();
    let (undelayed, ..) = ordinary(0, 2, &device);
    for delay in [1, 3] {
        let (expected, _, scores) = ordinary(delay, 2, &device);
        assert_ne!(expected, undelayed);
        let (got, _, got_scores) = pipelined(&Pipeline::at_rate(RATE).with_delay(delay), 2, &device);
        assert_eq!((got, got_scores), (expected, scores), "delay {delay}");
    }
}

fn in_turn_is_the_same_schedule(device: &Device) {
    let device = device.clone().autodiff();
    for delay in [0, 2] {
        let pipeline = Pipeline::at_rate(RATE).with_delay(delay);
        let (expected, _, scores) = pipelined(&pipeline, 1, &device);
        let (mut training, mut got) = (training(&device), Vec::new());
        let output = |batch: Batch| got.extend(vec(batch.values));
        pipeline.train_in_turn(&mut training, batches(0, &device), output).unwrap();
        assert_eq!((weights(&training.model), got), (expected, scores), "delay {delay}");
    }
}

/// The middle stage on another backend; everything ends up where it was.
fn stages_on_other_devices(other: &Device) {
    let (device, other) = (Device::flex().autodiff(), other.clone().autodiff());
    let (expected, _, scores) = ordinary(0, 2, &device);
    let pipeline = Pipeline::at_rate(RATE).on_devices([device.clone(), other, device.clone()]);
    let (got, _, got_scores) = pipelined(&pipeline, 2, &device);
    assert_close("weights", &got, &expected, 1e-5);
    assert_close("scores", &got_scores, &scores, 1e-4);
}

fn goes_on_from_a_checkpoint(device: &Device) {
    let device = device.clone().autodiff();
    let pipeline = Pipeline::at_rate(RATE);
    let (expected, statistics, _) = pipelined(&pipeline, 2, &device);
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path());
    let mut first = training(&device);
    pipeline.train(&mut first, batches(0, &device), drop).unwrap();
    first.progress.epochs = 1;
    checkpoints.save(&first).unwrap();
    let mut resumed = checkpoints.resume(training(&device)).unwrap();
    assert_eq!(resumed.progress.epochs, 1);
    pipeline.train(&mut resumed, batches(1, &device), drop).unwrap();
    assert_eq!(weights(&resumed.model), expected);
    assert_eq!(self::statistics(&resumed.model), statistics);
}

fn failures_name_their_stage(device: &Device) {
    let device = device.clone().autodiff();
    let pipeline = Pipeline::at_rate(RATE);
    let failed = |pipeline: &Pipeline, batches: Vec<Batch>| {
        let mut training = training(&device);
        let before = weights(&training.model);
        let error = pipeline.train(&mut training, batches, drop).unwrap_err();
        assert_eq!(weights(&training.model), before, "a failed epoch leaves nothing behind");
        error
    };
    let mut infinite = batches(0, &device);
    infinite[4].values = infinite[4].values.clone() * f32::INFINITY;
    match failed(&pipeline, infinite.clone()) {
        PipelineError::Update { stage: 0, error } => assert!(error.to_string().contains("conv1"), "{error}"),
        error => panic!("{error}"),
    }
    let mut cut = batches(0, &device);
    cut[2].classes = cut[2].classes.clone().narrow(0, 0, 2);
    for delay in [0, 2] {
        match failed(&pipeline.clone().with_delay(delay), cut.clone()) {
            PipelineError::Panic { stage: 2, message } => assert!(!message.is_empty()),
            error => panic!("{error}"),
        }
    }
    let devices = pipeline.on_devices(vec![device.clone(); 2]);
    let error = failed(&devices, batches(0, &device)).to_string();
    assert!(error.contains("3 stages need as many devices, got 2"), "{error}");
}
