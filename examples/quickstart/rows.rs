//! The rows of the table: one network, or a part of it, trained in five ways.

use anyhow::Result;
use burn::tensor::{Device, Tensor};
use burn_hebbian::{
    lab::{data::Labeled, evaluation::accuracy},
    optim::{Entry, Rest},
    prelude::*,
};

use crate::{
    net::{Classify, Features, Net, Pixels, TeacherNet},
    train::{Course, Run, falling},
};

/// What the rows learn from, and what they are scored on.
#[derive(Debug)]
pub(crate) struct Parts {
    /// Images to learn from, whitened.
    pub(crate) training: Labeled,
    /// Images to be scored on, whitened.
    pub(crate) scored: Labeled,
    /// The same images as plain pixels.
    pub(crate) raw: [Labeled; 2],
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Row {
    /// (a) Convolutions by SWTA and HPCA, classifier by backprop, in one run.
    Hybrid,
    /// (b) The same convolutions, classifier by teacher neurons, without autodiff.
    Local,
    /// (c) Everything by backprop.
    Backprop,
    /// (d) A linear classifier on pixels.
    Pixels,
    /// (e) Convolutions left random, classifier by backprop.
    Random,
}

impl Row {
    /// All rows, in order.
    pub(crate) const ALL: [Self; 5] = [Self::Hybrid, Self::Local, Self::Backprop, Self::Pixels, Self::Random];

    /// What the row is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hybrid => "(a) conv by SWTA and HPCA, classifier by backprop",
            Self::Local => "(b) conv by SWTA and HPCA, teacher neurons, no autodiff",
            Self::Backprop => "(c) everything by backprop",
            Self::Pixels => "(d) linear classifier on pixels, backprop",
            Self::Random => "(e) conv left random, classifier by backprop",
        }
    }

    /// The name below its bar.
    pub(crate) fn short(self) -> &'static str {
        match self {
            Self::Hybrid => "(a) hybrid",
            Self::Local => "(b) local",
            Self::Backprop => "(c) backprop",
            Self::Pixels => "(d) pixels",
            Self::Random => "(e) random",
        }
    }

    /// The letter of the row.
    pub(crate) fn letter(self) -> &'static str {
        &self.name()[1..2]
    }

    /// One run: the accuracy in percent and, where there are any, the filters of the first convolution.
    pub(crate) fn run(self, parts: &Parts, epochs: usize, run: &Run) -> Result<(f64, Option<Tensor<4>>)> {
        let (plain, autodiff) = (Device::flex(), Device::flex().autodiff());
        plain.seed(run.seed);
        let course = self.course(epochs, parts.training.len());
        let [raw_training, raw_scored] = &parts.raw;
        match self {
            Self::Hybrid | Self::Random => {
                let net = Net::new(Features::hebbian_outputs(), &autodiff);
                let net = course.train(net, &parts.training, &autodiff, run)?;
                Ok((score(&net, &parts.scored), Some(net.features.filters())))
            }
            Self::Backprop => {
                let net = Net::new(Features::backprop_outputs(), &autodiff);
                let net = course.train(net, &parts.training, &autodiff, run)?;
                Ok((score(&net, &parts.scored), Some(net.features.filters())))
            }
            Self::Local => {
                let net = TeacherNet::new(Features::hebbian_outputs(), &plain);
                let net = course.train_locally(net, &parts.training, &plain, run)?;
                Ok((score(&net, &parts.scored), Some(net.features.filters())))
            }
            Self::Pixels => {
                let net = course.train(Pixels::new(&autodiff), raw_training, &autodiff, run)?;
                Ok((score(&net, raw_scored), None))
            }
        }
    }

    /// What trains what: all that differs between (a), (c) and (e).
    ///
    /// Rates and weight decay were chosen without the test part, by five-fold cross-validation over training and
    /// validation part, for each row by itself and from the same list, though not on the full grid: rates 0.001,
    /// 0.003, 0.01, 0.03 and 0.1, decays 0, 0.001 and 0.01; local rates 0.03, 0.05, 0.1 and 0.3. Architecture,
    /// whitening and output of the first convolution were chosen for (a).
    fn course(self, epochs: usize, images: usize) -> Course {
        let locally = |plan: Plan, pattern: &str| {
            plan.with(
                Entry::local(pattern, LocalTraining::of_the_layer()).at_rate(falling(0.1, epochs, images)),
            )
        };
        let (plan, rate, decay) = match self {
            Self::Hybrid => (locally(Plan::new(), "features"), 0.01, 0.01),
            Self::Local => (locally(Plan::new().with_rest(Rest::Frozen), ".*"), 0.1, 0.0),
            Self::Backprop => (Plan::new().backprop("features"), 0.003, 0.0),
            Self::Pixels => (Plan::new(), 0.1, 0.0),
            Self::Random => (Plan::new().frozen("features"), 0.03, 0.0),
        };
        Course { plan, rate, decay, epochs }
    }
}

fn score<M: Classify>(net: &M, data: &Labeled) -> f64 {
    let net = net.valid();
    accuracy(data, &Device::flex(), |images| net.scores(images))
}
