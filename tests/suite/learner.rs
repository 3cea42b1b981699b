//! Burn's own trainer: a model with local layers under `SupervisedTraining`, one line a hook.

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::{
    data::{dataloader::DataLoaderBuilder, dataloader::batcher::Batcher, dataset::InMemDataset},
    module::Module,
    nn::loss::CrossEntropyLossConfig,
    optim::{GradientsParams, ModuleOptimizer, MultiGradientsParams, SgdConfig},
    tensor::{Device, ExecutionError, Int, Tensor},
    train::{
        ExecutionStrategy, InferenceStep, ItemLazy, Learner, SupervisedTraining, TrainOutput, TrainStep,
    },
};
use burn_hebbian::prelude::*;
use burn_hebbian_tests::{
    net::{Net, PlainNet},
    values::{assert_close, numbers, vec},
};
use libtest_mimic::Trial;

use crate::on_flex;

pub(crate) fn trials() -> Vec<Trial> {
    vec![on_flex("learner::accumulated_micro_batches_equal_one_batch", accumulated_equals_one_batch)]
}

#[derive(Module, Debug)]
struct Model {
    net: Net,
    #[module(skip)]
    plan: Plan,
}

#[derive(Clone, Debug)]
struct Batch {
    images: Tensor<4>,
    labels: Tensor<1, Int>,
}

/// No metric is registered.
struct Nothing;

impl ItemLazy for Nothing {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

impl TrainStep for Model {
    type Input = Batch;
    type Output = Nothing;

    fn step(&self, batch: Batch) -> TrainOutput<Nothing> {
        let observed = self.plan.observe(self, Signals::none(), || self.net.forward(batch.images));
        let (logits, updates) = observed.expect("the plan fits");
        // summed, as burn-train sums micro-batches
        let n = logits.dims()[0] as f64;
        let loss = CrossEntropyLossConfig::new().init(&logits.device()).forward(logits, batch.labels) * n;
        let mut output = TrainOutput::new(self, loss.backward(), Nothing);
        updates.register(self, &mut output.grads);
        output
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        grads: GradientsParams,
    ) -> Self {
        self.plan.clone().step(optimizer, lr, self, grads).expect("finite updates")
    }

    fn optimize_multi(
        self,
        optimizer: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        grads: MultiGradientsParams,
    ) -> Self {
        self.plan.clone().step_multi(optimizer, lr, self, grads).expect("finite updates")
    }
}

impl InferenceStep for Model {
    type Input = Batch;
    type Output = Nothing;

    fn step(&self, _batch: Batch) -> Nothing {
        Nothing
    }
}

struct ToBatch;

impl Batcher<u64, Batch> for ToBatch {
    fn batch(&self, seeds: Vec<u64>, device: &Device) -> Batch {
        let n = seeds.len();
        let pixels: Vec<f32> = seeds.iter().flat_map(|seed| numbers(*seed, 60)).collect();
        let labels: Vec<i64> = seeds.iter().map(|seed| (*seed % 3) as i64).collect();
        Batch {
            images: Tensor::<1>::from_floats(pixels.as_slice(), device).reshape([n, 2, 6, 5]),
            labels: Tensor::from_ints(labels.as_slice(), device),
        }
    }
}

fn train(model: Model, batch_size: usize, accumulation: Option<usize>, device: &Device) -> Model {
    let loader = |items: Vec<u64>| {
        DataLoaderBuilder::new(ToBatch)
            .batch_size(batch_size)
            .set_device(device.clone())
            .build(InMemDataset::new(items))
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let strategy = ExecutionStrategy::SingleDevice(device.clone());
    let mut training = SupervisedTraining::new(folder.path(), loader((0..24).collect()), loader(vec![]))
        .with_application_logger(None)
        .with_training_strategy(strategy.into())
        .num_epochs(2);
    if let Some(steps) = accumulation {
        training = training.grads_accumulation(steps);
    }
    training.launch(Learner::new(model, SgdConfig::new().init(), 0.02)).model
}

/// Two micro-batches of 4 through `grads_accumulation(2)` end with the weights of batches of 8.
fn accumulated_equals_one_batch(device: &Device) {
    let device = device.clone().autodiff();
    let net: Net = PlainNet::new(&device).into();
    for rule in [Rule::swta(), Rule::sanger()] {
        let plan = Plan::new().local("net.conv2", rule);
        let model = plan.apply(Model { net: net.clone(), plan: plan.clone() }).unwrap();
        let before = vec(net.conv2.layer().weight.val());
        let whole = train(model.clone(), 8, None, &device);
        let parts = train(model, 4, Some(2), &device);
        let weights =
            |model: &Model| [vec(model.net.conv1.weight.val()), vec(model.net.conv2.layer().weight.val())];
        let ([a1, a2], [b1, b2]) = (weights(&whole), weights(&parts));
        assert_ne!(a2, before);
        assert_close("conv1", &b1, &a1, 1e-6);
        assert_close("conv2", &b2, &a2, 1e-6);
    }
}
