//! The rows of the table: one network, or a part of it, trained in five ways.

use anyhow::Result;
use burn::tensor::{Device, Tensor};
use burn_hebbian::prelude::*;
use burn_hebbian_examples::{labelled::Labelled, score::accuracy};

use crate::{
    net::{Classify, Features, Net, Pixels, TeacherNet},
    train::{Course, Run},
};

/// Rates, weight decay and smoothing were chosen without the test part, by five-fold cross-validation, for each row
/// from the same lists.
mod rates {
    /// Of the local rules.
    pub(super) const LOCAL: f64 = 0.1;
    /// Of a classifier on learnt features.
    pub(super) const CLASSIFIER: f64 = 1e-2;
    /// Of a classifier on random features.
    pub(super) const RANDOM: f64 = 3e-2;
    /// Of the whole network by backprop.
    pub(super) const NETWORK: f64 = 1e-2;
    /// Of a classifier on pixels.
    pub(super) const PIXELS: f64 = 3e-2;
}

/// What the rows learn from, and what they are scored on.
#[derive(Debug)]
pub(crate) struct Parts {
    /// Images to learn from, whitened.
    pub(crate) training: Labelled,
    /// Images to be scored on, whitened.
    pub(crate) scored: Labelled,
    /// The same images as plain pixels.
    pub(crate) raw: [Labelled; 2],
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

    /// The letter of the row.
    pub(crate) fn letter(self) -> &'static str {
        &self.name()[1..2]
    }

    /// Smoothing of the ZCA whitening of what the row learns from; pixels are not whitened.
    pub(crate) fn smoothing(self) -> f64 {
        match self {
            Self::Hybrid | Self::Local => 1.0,
            Self::Random => 10.0,
            Self::Backprop | Self::Pixels => 0.3,
        }
    }

    /// The weight decay of what learns by backprop.
    fn decay(self) -> f32 {
        match self {
            Self::Hybrid => 1e-2,
            Self::Random => 1e-3,
            Self::Local | Self::Backprop | Self::Pixels => 0.0,
        }
    }

    /// One run: the accuracy in percent and, where there are any, the filters of the first convolution.
    pub(crate) fn run(self, parts: &Parts, epochs: usize, run: &Run) -> Result<(f64, Option<Tensor<4>>)> {
        let (plain, autodiff) = (Device::flex(), Device::flex().autodiff());
        plain.seed(run.seed);
        let course = self.course(epochs);
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
    fn course(self, epochs: usize) -> Course {
        let local = Some((r"^features\.", rates::LOCAL));
        let decay = self.decay();
        match self {
            Self::Hybrid => Course { plan: Plan::new(), rate: rates::CLASSIFIER, decay, local, epochs },
            Self::Local => Course {
                plan: Plan::new().with_rest(Rest::Frozen),
                rate: rates::LOCAL,
                decay,
                local: Some((".*", rates::LOCAL)),
                epochs,
            },
            Self::Backprop => Course {
                plan: Plan::new().backprop("features"),
                rate: rates::NETWORK,
                decay,
                local: None,
                epochs,
            },
            Self::Pixels => Course { plan: Plan::new(), rate: rates::PIXELS, decay, local: None, epochs },
            Self::Random => Course {
                plan: Plan::new().frozen("features"),
                rate: rates::RANDOM,
                decay,
                local: None,
                epochs,
            },
        }
    }
}

fn score<M: Classify>(net: &M, data: &Labelled) -> f64 {
    let net = net.valid();
    accuracy(data, &Device::flex(), |images| net.scores(images))
}
