//! The first layer of the six-layer net, trained without autodiff.

use anyhow::Result;
use burn::{
    module::Module,
    optim::SgdConfig,
    tensor::{Device, Tensor, module::max_pool2d, ops::MaxPoolOptions},
};
use burn_hebbian::prelude::*;
use burn_hebbian_examples::{
    batches::{in_order, shuffled},
    channels::ChannelStatistics,
    cifar10::SIDE,
    labelled::Labelled,
    progress,
};

use crate::recipe::Recipe;

/// Images a step.
const BATCH: usize = 64;

/// Images that features are computed of at a time.
const CHUNK: usize = 200;

const FILTERS: usize = 96;
const KERNEL: usize = 5;

/// Height and width of a filter's responses, after pooling.
const POOLED: usize = (SIDE - KERNEL).div_ceil(2);

/// conv 5 × 5, 96 filters, no padding → max pool 2.
#[derive(Module, Debug)]
pub(crate) struct FirstLayer {
    conv1: HebbianConv2d,
}

impl FirstLayer {
    /// A layer with random weights, uniform in ±1/√fan-in.
    pub(crate) fn new(recipe: &Recipe, seed: u64, device: &Device) -> Self {
        device.seed(seed);
        let conv1 = HebbianConv2dConfig::new([3, FILTERS], [KERNEL; 2], recipe.rule.clone())
            .with_output(recipe.output)
            .init(device);
        Self { conv1 }
    }

    /// Learns from all images, `epochs` times; no labels, no gradients.
    pub(crate) fn train(
        mut self,
        images: &Labelled,
        recipe: &Recipe,
        epochs: usize,
        seed: u64,
    ) -> Result<Self> {
        let device = self.weight().device();
        let plan = Plan::new().with_rest(Rest::Frozen);
        let mut optimizer = SgdConfig::new().init();
        let bar = progress::bar(epochs * images.len().div_ceil(BATCH)).with_message(recipe.name);
        for epoch in 0..epochs {
            for batch in shuffled(images.len(), seed, epoch).chunks(BATCH) {
                let input = images.images(batch, &device);
                let (_, updates) = plan.observe(&self, Signals::none(), || self.conv1.forward(input))?;
                let grads = updates.into_grads(&self);
                self = plan.step(&mut optimizer, recipe.rate, self, grads)?;
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        Ok(self)
    }

    /// `[n, 3, 32, 32]` → `[n, 96, 14, 14]`.
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        max_pool2d(self.conv1.forward(images), MaxPoolOptions::new([2; 2]))
    }

    /// The features of all images.
    pub(crate) fn features(&self, images: &Labelled) -> Labelled {
        let device = self.weight().device();
        let mut features = Labelled::with_capacity([FILTERS, POOLED, POOLED], images.len());
        for chunk in in_order(images.len()).chunks(CHUNK) {
            let values = self.forward(images.images(chunk, &device)).into_data();
            features.values.extend(values.iter::<f32>());
        }
        features.labels.clone_from(&images.labels);
        features
    }

    /// The filters, `[96, 3, 5, 5]`.
    pub(crate) fn weight(&self) -> Tensor<4> {
        self.conv1.layer().weight.val()
    }
}

/// What batch norm with γ = 1 and β = 0 makes of the features: channels of mean 0 and deviation 1, by the
/// statistics of the first part, the training one.
pub(crate) fn normalise(parts: &mut [Labelled; 3]) {
    let statistics = ChannelStatistics::of(&parts[0]);
    parts.iter_mut().for_each(|part| statistics.standardise(part));
}
