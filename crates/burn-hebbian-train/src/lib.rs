//! Hybrid training in [burn-train](burn::train).
//!
//! - [`PhasedTraining`]: a plan over the epochs of one training; makes the training and the [`Learner`](burn::train::Learner) of a
//!   [`Classifier`]
//! - [`OrderedLoader`]: batches in an order that a training can be resumed with
//! - [`EpochCounter`]: the epoch that runs, counted by a loader, followed by the course
//! - [`best_epoch`]: the epoch of a training whose checkpoint is the best
//! - [`pipeline`]: all stages of a network learning at once, each on a thread or device of its own
//! - [`Watcher`]: who looks at a model while it trains
//! - [`shuffled`], [`in_order`], [`SplitMix`]: orders that depend on a seed and an epoch alone
//! - [`LogRenderer`], [`renderer`]: one line an epoch where the output is no terminal
//!
//! ```
//! use std::sync::Arc;
//!
//! use burn::{
//!     data::{dataloader::batcher::Batcher, dataset::InMemDataset},
//!     module::Module,
//!     nn::{Linear, LinearConfig},
//!     optim::AdamConfig,
//!     tensor::{Device, Tensor},
//!     train::metric::{AccuracyMetric, LossMetric},
//! };
//! use burn_hebbian_optim::{Entry, Plan};
//! use burn_hebbian_train::{Batch, Classifier, PhasedTraining, OrderedLoader, renderer};
//!
//! #[derive(Module, Debug)]
//! struct Net {
//!     fc1: Linear, // a `Local<Linear>`, and `.local("fc1", rule)` in the plan, to learn by a rule
//!     fc2: Linear,
//! }
//!
//! impl Classifier for Net {
//!     type Input = Tensor<2>;
//!
//!     fn classes(&self) -> usize {
//!         2
//!     }
//!
//!     fn scores(&self, input: Tensor<2>) -> Tensor<2> {
//!         self.fc2.forward(self.fc1.forward(input))
//!     }
//! }
//!
//! struct ToBatch;
//!
//! impl Batcher<(f32, i64), Batch<Tensor<2>>> for ToBatch {
//!     fn batch(&self, items: Vec<(f32, i64)>, device: &Device) -> Batch<Tensor<2>> {
//!         let (values, labels): (Vec<f32>, Vec<i64>) = items.into_iter().unzip();
//!         let input = Tensor::<1>::from_floats(values.as_slice(), device).unsqueeze_dim(1);
//!         Batch { input, targets: Tensor::from_ints(labels.as_slice(), device) }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let device = Device::flex().autodiff();
//! let net = Net { fc1: LinearConfig::new(1, 4).init(&device), fc2: LinearConfig::new(4, 2).init(&device) };
//! let data = || InMemDataset::new((0..20).map(|i| (i as f32 / 10.0 - 1.0, i64::from(i >= 10))).collect());
//!
//! // in the first epoch fc2 alone, then both
//! let plan = Plan::new().backprop("fc2").with(Entry::backprop("fc1").in_epochs(2..));
//! let course = PhasedTraining::new(&plan, 3, AdamConfig::new())?; // `.after(k)?` to resume from burn-train's checkpoint k
//! let batches = OrderedLoader::new(data(), ToBatch, 5, &device).shuffled(7, course.epochs());
//! let validation = OrderedLoader::new(data(), ToBatch, 5, &device);
//! # let folder = std::env::temp_dir().join("burn-hebbian-train-example");
//! let training = course
//!     .training(folder, Arc::new(batches), Arc::new(validation))
//!     .metrics((AccuracyMetric::new(), LossMetric::new()));
//! let learner = course.learner(&training, net, |_epochs| 0.01.into())?;
//! let renderer = renderer(training.interrupter(), None);
//! let trained = training.renderer(renderer).launch(learner);
//! assert_eq!(trained.interrupted, None); // a step that is refused ends the training, and says why here
//! let net = trained.model.into_inner();
//! # assert_eq!(course.epochs().current(), 3);
//! # let _ = net;
//! # Ok(()) }
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]

mod best;
mod counted;
mod epochs;
mod hybrid;
mod loader;
mod log_renderer;
mod order;
mod phased;
mod phases;
pub mod pipeline;
mod rates;
mod stop;
mod watcher;

pub use best::best_epoch;
pub use epochs::EpochCounter;
pub use hybrid::{Batch, Classifier, Hybrid};
pub use loader::OrderedLoader;
pub use log_renderer::{LogRenderer, renderer};
pub use order::{SplitMix, in_order, shuffled};
pub use phased::{PhasedTraining, PhasedTrainingError};
pub use rates::RateError;
pub use watcher::{Moment, Watcher};
