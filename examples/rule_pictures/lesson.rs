//! One layer, one rule, images: training without autodiff.

use anyhow::Result;
use burn::{
    nn::{Initializer, PaddingConfig2d},
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian::{
    lab::{
        data::{Labeled, in_order, shuffled},
        digits::CLASSES,
    },
    optim::Constraint,
    prelude::*,
    rules::Teacher,
};

/// Where initial weights and orders start.
const SEED: u64 = 0;

/// What a layer learns by, on what and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Lesson<'a> {
    /// The images.
    pub(crate) images: &'a Labeled,
    /// The rule.
    pub(crate) rule: Rule,
    /// Number of neurons.
    pub(crate) neurons: usize,
    /// Height and width of what a neuron sees; a whole image unless set.
    pub(crate) kernel: usize,
    /// Number of steps.
    pub(crate) steps: usize,
    /// Images a step.
    pub(crate) batch: usize,
    /// The first learning rate; it falls linearly to 0.
    pub(crate) rate: f64,
    /// The initial weights.
    pub(crate) initial: Initializer,
    /// What the weights are held to after every step.
    pub(crate) constraint: Option<Constraint>,
}

impl<'a> Lesson<'a> {
    /// Whole images, 64 a step, 1000 steps, from small normal weights.
    pub(crate) fn new(rule: Rule, neurons: usize, images: &'a Labeled) -> Self {
        let initial = Initializer::Normal { mean: 0.0, std: 0.1 };
        Self {
            images,
            rule,
            neurons,
            kernel: images.dims[1],
            steps: 1000,
            batch: 64,
            rate: 0.1,
            initial,
            constraint: None,
        }
    }

    /// The layer before its first step.
    pub(crate) fn layer(&self) -> Result<HebbianConv2d> {
        let device = Device::flex();
        device.seed(SEED);
        let whole = self.kernel == self.images.dims[1];
        let padding = if whole { PaddingConfig2d::Valid } else { PaddingConfig2d::Same };
        let config = HebbianConv2dConfig::new([1, self.neurons], [self.kernel; 2], self.rule.clone())
            .with_padding(padding)
            .with_initializer(self.initial.clone());
        Ok(config.try_init(&device)?)
    }

    /// The layer after its last step.
    pub(crate) fn learn(&self) -> Result<HebbianConv2d> {
        self.learn_watched(|_, _| {})
    }

    /// As [`learn`](Self::learn), showing the layer to `watch` before every step and after the last.
    pub(crate) fn learn_watched(
        &self,
        mut watch: impl FnMut(usize, &HebbianConv2d),
    ) -> Result<HebbianConv2d> {
        let training = LocalTraining::of_the_layer();
        let training = match self.constraint {
            Some(constraint) => training.with_constraint(constraint),
            None => training,
        };
        let (mut layer, mut optim) =
            Plan::new().local(".*", training).init(self.layer()?, SgdConfig::new())?;
        for (step, batch) in self.batches().enumerate() {
            watch(step, &layer);
            let images = self.images.images(&batch, &Device::flex());
            let (_, seen) = optim.observe(&layer, self.signals(&batch), |layer| layer.forward(images))?;
            let rate = self.rate * (1.0 - step as f64 / self.steps as f64);
            layer = optim.step(rate, layer, seen.local_only())?;
        }
        watch(self.steps, &layer);
        Ok(layer)
    }

    /// The labels, for rules that ask for a teacher.
    fn signals(&self, batch: &[usize]) -> Signals {
        if self.rule.teacher == Teacher::Ignored {
            return Signals::none();
        }
        let labels = self.images.targets(batch, &Device::flex());
        Signals::none().with_teacher(labels.one_hot(CLASSES).float())
    }

    /// The images of every step.
    fn batches(&self) -> impl Iterator<Item = Vec<usize>> {
        let epoch = |epoch| {
            let order = shuffled(self.images.len(), SEED, epoch);
            order.chunks_exact(self.batch).map(<[usize]>::to_vec).collect::<Vec<_>>()
        };
        (0..).flat_map(epoch).take(self.steps)
    }
}

/// All of `images` at once.
pub(crate) fn all(images: &Labeled) -> Tensor<4> {
    images.images(&in_order(images.len()), &Device::flex())
}

/// The weights of a layer, `[neurons, 1, height, width]`.
pub(crate) fn weight(layer: &HebbianConv2d) -> Tensor<4> {
    layer.layer().weight.val()
}

/// The weights of a layer, `[neurons, fan-in]`.
pub(crate) fn vectors(layer: &HebbianConv2d) -> Tensor<2> {
    weight(layer).flatten(1, 3)
}
