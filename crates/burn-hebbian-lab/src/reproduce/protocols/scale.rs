//! What steps of networks cost on images of ImageNet's size, by rules and by backprop.

use crate::prelude::*;
use crate::{
    measure::measured,
    models::{ResNetConfig, VggConfig},
};
use anyhow::Result;
use burn::tensor::{Device, Tensor};
use peak_alloc::PeakAlloc;

use super::{
    Run,
    macs::{LayerSize, layers},
    timing::{Work, medians},
    trainer::{Batch, Network, Trainer},
};
use crate::reproduce::{
    asked::asked,
    config::{StepCost, StepNetwork},
    results::Score,
};

const MIB: f64 = (1 << 20) as f64;

/// Costs of all networks that were asked for.
pub(super) fn scores(run: &Run, config: &StepCost) -> Result<Vec<Score>> {
    let networks = asked(&config.networks, |network| [network.name()], run.rows)?;
    let mut scores = vec![];
    for seed in run.seeds.clone() {
        for network in &networks {
            println!("{}, seed {seed}", network.name());
            scores.extend(Bench { config, network: **network, seed, device: &run.device }.run()?);
        }
    }
    Ok(scores)
}

impl StepNetwork {
    fn name(self) -> &'static str {
        match self {
            Self::Vgg11 => "VGG-11",
            Self::Resnet50 => "ResNet-50",
        }
    }

    /// Thousand millions of multiplications and additions of an image of 224 × 224 pixels and 1000 classes.
    fn published(self) -> f64 {
        match self {
            Self::Vgg11 => 7.61,
            Self::Resnet50 => 4.09,
        }
    }
}

/// One network with one seed.
struct Bench<'a> {
    config: &'a StepCost,
    network: StepNetwork,
    seed: u64,
    device: &'a Device,
}

/// What a step costs.
struct Cost {
    seconds: f64,
    /// Bytes at the peak, beyond weights and images.
    bytes: usize,
}

impl Bench<'_> {
    fn run(&self) -> Result<Vec<Score>> {
        let classes = self.config.classes;
        match self.network {
            StepNetwork::Vgg11 => {
                let net = VggConfig::vgg11(classes).with_batch_norm(true);
                self.scores(|device| Ok(net.init(device)?))
            }
            StepNetwork::Resnet50 => self.scores(|device| Ok(ResNetConfig::resnet50(classes).init(device)?)),
        }
    }

    fn scores<N: Network>(&self, init: impl Fn(&Device) -> Result<N>) -> Result<Vec<Score>> {
        let mut scores = self.size(&self.net(&init, self.device)?)?;
        let (names, mut trainers) = self.trainers(init)?;
        let costs = self.costs(&mut trainers)?;
        for (name, cost) in names.iter().zip(&costs) {
            println!("  {name}: {:.2} s a step", cost.seconds);
            scores.extend(self.lines(name, cost, &costs[0]));
        }
        Ok(scores)
    }

    /// The same weights each time.
    fn net<N>(&self, init: impl Fn(&Device) -> Result<N>, device: &Device) -> Result<N> {
        device.seed(self.seed);
        init(device)
    }

    /// Backprop first; the others are compared with it.
    fn trainers<N: Network>(
        &self,
        init: impl Fn(&Device) -> Result<N>,
    ) -> Result<(Vec<&'static str>, Vec<Trainer<N>>)> {
        let StepCost { side, classes, batch, .. } = *self.config;
        let noise = |device: &Device| Batch::noise([batch, 3, side, side], classes, device);
        let autodiff = self.device.clone().autodiff();
        let mut names = vec!["backprop"];
        let mut trainers = vec![Trainer::by_backprop(self.net(&init, &autodiff)?, noise(&autodiff))];
        for (name, rule) in [("SWTA", Rule::swta()), ("HPCA", Rule::hpca(Activation::Relu))] {
            names.push(name);
            trainers.push(Trainer::by_rule(self.net(&init, self.device)?, rule, noise(self.device))?);
        }
        Ok((names, trainers))
    }

    fn costs<N: Network>(&self, trainers: &mut [Trainer<N>]) -> Result<Vec<Cost>> {
        let mut work: Vec<Work> = trainers.iter_mut().map(step).collect();
        let times = medians(self.config.rounds, self.device, &mut work)?;
        let peaks = work.iter_mut().map(|work| peak(work));
        times.into_iter().zip(peaks).map(|(seconds, bytes)| Ok(Cost { seconds, bytes: bytes? })).collect()
    }

    /// Weights and multiplications.
    fn size<N: Network>(&self, net: &N) -> Result<Vec<Score>> {
        let side = self.config.side;
        let images = Tensor::zeros([1, 3, side, side], self.device);
        let layers = layers(net, &format!("{}|{}", N::HIDDEN, N::CLASSIFIER), |net| net.scores(images))?;
        let macs = layers.iter().map(LayerSize::macs).sum::<u64>() as f64 / 1e9;
        let score =
            |measure, value| self.score("the network", "from the geometry of its layers", measure, value);
        let macs = score("MACs an image, thousand millions", macs);
        // what the literature counts is of these sizes
        let known = side == 224 && self.config.classes == 1000;
        let weights = score("parameters and running statistics, millions", net.num_params() as f64 / 1e6);
        Ok(vec![if known { macs.beside(self.network.published()) } else { macs }, weights])
    }

    fn lines(&self, name: &str, cost: &Cost, backprop: &Cost) -> Vec<Score> {
        let StepCost { batch, rounds, epoch, .. } = *self.config;
        let rate = batch as f64 / cost.seconds;
        let how = format!("batch {batch}, median of {rounds} steps");
        let score = |measure, value| self.score(name, &how, measure, value);
        vec![
            score("seconds a step", cost.seconds),
            score("images/s", rate),
            score("time of a backprop step / time of a step", backprop.seconds / cost.seconds),
            score("hours an epoch of ImageNet, projected", epoch as f64 / rate / 3600.0),
            score("peak memory of a step beyond weights and images, MiB", cost.bytes as f64 / MIB),
        ]
    }

    fn score(&self, of: &str, how: &str, measure: &str, value: f64) -> Score {
        Score::of(self.network.name(), of, how, measure, self.seed, value)
    }
}

fn step<N: Network>(trainer: &mut Trainer<N>) -> Work<'_> {
    Box::new(|| trainer.step())
}

/// The bytes by which the peak of `work` is above what was allocated before it, on the host.
fn peak(work: &mut Work) -> Result<usize> {
    // the program's global allocator counts
    let before = PeakAlloc.current_usage();
    let (done, cost) = measured(work);
    done.map(|()| cost.peak_bytes.saturating_sub(before))
}
