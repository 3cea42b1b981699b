//! What a data set brings: its images, its network, its plans.

use std::sync::Arc;

use anyhow::Result;
use burn::{
    lr_scheduler::LrSchedulerConfig,
    optim::ModuleOptimizer,
    tensor::{Device, Tensor},
};
use burn_hebbian::train::data::Labelled;
use burn_hebbian::{prelude::*, train::Classifier};

/// A plan of this example.
#[derive(Debug, Clone)]
pub(crate) struct NamedPlan {
    pub(crate) name: String,
    pub(crate) what: String,
    pub(crate) plan: Plan,
    /// The published test accuracy, in percent.
    pub(crate) published: Option<f64>,
}

/// Images for learning, for watching, for the final number.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) training: Arc<Labelled>,
    pub(crate) validation: Arc<Labelled>,
    pub(crate) test: Labelled,
}

/// A data set with its network and how backprop trains it.
pub(crate) trait Task {
    /// The network.
    type Net: Classifier<Input = Tensor<4>>;
    /// Channels, height, width.
    const IMAGE: [usize; 3];
    /// Images of a step.
    const BATCH: usize;

    /// The plans for a training of so many epochs.
    fn plans(&self, epochs: usize) -> Result<Vec<NamedPlan>>;

    /// A network with random weights, drawn from `device`'s generator.
    fn net(&self, plan: &Plan, device: &Device) -> Result<Self::Net>;

    /// The images as the plan wants them.
    fn parts(&self, plan: &Plan) -> Result<Parts>;

    /// The optimizer of what learns by backprop.
    fn optimizer(&self) -> ModuleOptimizer;

    /// Its rate in a phase of so many epochs of so many steps.
    fn rate(&self, epochs: usize, steps: usize) -> LrSchedulerConfig;
}
