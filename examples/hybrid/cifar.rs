//! CIFAR-10 with the six-layer net, trained as in the thesis.

use std::{path::Path, sync::Arc};

use anyhow::{Result, ensure};
use burn::{
    lr_scheduler::{LrSchedulerConfig, sequential::SequentialLrSchedulerConfig, step::StepLrSchedulerConfig},
    optim::{ModuleOptimizer, SgdConfig, decay::WeightDecayConfig, momentum::MomentumConfig},
    tensor::Device,
};
use burn_hebbian::train::data::{self, ChannelStatistics, Source, Spectrum};
use burn_hebbian::{optim::TrainedBy, prelude::*};
use burn_hebbian_examples::models::{SixLayer, SixLayerConfig};
use clap::ValueEnum;

use crate::{
    task::{NamedPlan, Parts, Task},
    thesis::{self, CLASSES},
};

/// Smoothing of the ZCA whitening, for nets whose first layer is Hebbian; others see standardised channels.
const SMOOTHING: f64 = 0.1;

/// The first rate of SGD.
const RATE: f64 = 1e-3;

/// L2 of SGD, as in the thesis for the full net.
const PENALTY: f32 = 6e-2;

/// Which of the published nets.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Variant {
    /// 300 hidden neurons, Hebbian outputs max(0, cos).
    Thesis,
    /// 4096 hidden neurons, Hebbian outputs relu(w·x / ‖w‖).
    FastHebb,
}

pub(crate) struct CifarTask {
    images: data::Parts,
    config: SixLayerConfig,
}

impl CifarTask {
    /// Reads the images in `dir`, `count` of them if given.
    pub(crate) fn read(dir: &Path, count: Option<usize>, variant: Variant) -> Result<Self> {
        let mut images = Source::Cifar10.read(dir)?;
        if let Some(count) = count {
            images = images.first(count);
        }
        let images = images.hold_out_last_fifth();
        let [training, validation, test] =
            [&images.training, &images.validation, &images.test].map(|part| part.len());
        ensure!(training > 0 && test > 0, "too few images: take at least 5");
        println!("{training} training, {validation} validation, {test} test images");
        let config = match variant {
            Variant::Thesis => SixLayerConfig::thesis(CLASSES),
            Variant::FastHebb => SixLayerConfig::fast_hebb(CLASSES),
        };
        Ok(Self { images, config })
    }

    /// Which layers the plan trains by a rule, in some epoch.
    fn hebbian(&self, plan: &Plan) -> Result<[bool; 6]> {
        let report = plan.report(&self.config.init(&Device::flex()))?;
        let is_local = |layer: &str| {
            let learns = |(path, by): &(String, TrainedBy)| {
                path.starts_with(layer) && matches!(by, TrainedBy::Local { .. })
            };
            report.parameters.iter().any(learns)
        };
        Ok(SixLayerConfig::LAYERS.map(is_local))
    }
}

impl Task for CifarTask {
    type Net = SixLayer;
    const IMAGE: [usize; 3] = [3, 32, 32];
    const BATCH: usize = 64;

    fn plans(&self, epochs: usize) -> Result<Vec<NamedPlan>> {
        Ok(thesis::plans(epochs))
    }

    fn net(&self, plan: &Plan, device: &Device) -> Result<SixLayer> {
        Ok(self.config.clone().with_hebbian(self.hebbian(plan)?).init(device))
    }

    fn parts(&self, plan: &Plan) -> Result<Parts> {
        let data::Parts { mut training, mut validation, mut test, .. } = self.images.clone();
        let parts = [&mut training, &mut validation, &mut test];
        if self.hebbian(plan)?[0] {
            let zca = Spectrum::fit(&self.images.training, &Device::flex())?.zca(SMOOTHING);
            parts.into_iter().for_each(|part| zca.apply(part));
        } else {
            let statistics = ChannelStatistics::of(&self.images.training);
            parts.into_iter().for_each(|part| statistics.standardise(part));
        }
        Ok(Parts { training: Arc::new(training), validation: Arc::new(validation), test })
    }

    fn optimizer(&self) -> ModuleOptimizer {
        let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0).with_nesterov(true);
        SgdConfig::new()
            .with_momentum(Some(momentum))
            .with_weight_decay(Some(WeightDecayConfig::new(PENALTY)))
            .init()
    }

    /// Halved in every epoch from the middle one on, the tenth of twenty.
    fn rate(&self, epochs: usize, steps: usize) -> LrSchedulerConfig {
        let steady = (epochs / 2).saturating_sub(1).max(1);
        let halved = StepLrSchedulerConfig::new(RATE / 2.0, steps).with_gamma(0.5);
        SequentialLrSchedulerConfig::new(vec![RATE.into(), halved.into()], vec![steady * steps]).into()
    }
}
