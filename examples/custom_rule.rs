//! A rule of your own, from the public API alone: Oja's rule with a threshold below which nothing is learned.
//!
//! ```text
//! cargo run --release --example custom_rule
//! ```
//!
//! On inputs that vary most along one direction it finds that direction at unit norm, as Oja's rule does.

use anyhow::Result;
use burn::{
    nn::LinearConfig,
    optim::SgdConfig,
    tensor::{Device, Distribution, Tensor},
};
use burn_hebbian::{
    prelude::*,
    rules::{Activity, Factors, RuleError, WeightLayout},
};

/// `Δw = mean y (x − y w)` over the patches with `|y| > threshold`.
#[derive(Debug)]
struct ThresholdOja {
    threshold: f64,
}

impl LocalRule for ThresholdOja {
    fn factors(&self, activity: &Activity) -> Factors {
        let y = activity.dot(); // [n, groups, neurons, positions], whatever the layer
        let strong = y.clone().abs().greater_elem(self.threshold).float();
        Factors::oja(y.clone() * strong, y)
    }

    fn check(&self, _layout: &WeightLayout) -> Result<(), RuleError> {
        if self.threshold >= 0.0 {
            return Ok(());
        }
        Err(RuleError::Custom(format!("threshold: must be at least 0, got {}", self.threshold)))
    }
}

fn main() -> Result<()> {
    let device = Device::flex();
    device.seed(1);
    let plan = Plan::new().local(".*", LocalTraining::custom(ThresholdOja { threshold: 0.1 }));
    let layer = Local::new(LinearConfig::new(4, 1).with_bias(false).init(&device));
    let (mut layer, mut optim) = plan.init(layer, SgdConfig::new())?;
    let deviations = Tensor::<1>::from_floats([2.0, 0.5, 0.5, 0.5], &device).unsqueeze();
    for _ in 0..300 {
        let x: Tensor<2> =
            Tensor::random([32, 4], Distribution::Normal(0.0, 1.0), &device) * deviations.clone();
        let (_, seen) = optim.observe(&layer, Signals::none(), |layer| layer.forward(x))?;
        layer = optim.step(0.02, layer, seen.local_only())?;
    }
    let weight = layer.layer().weight.val().into_data();
    println!(
        "weight {:.2?}, expected ±1 first and about 0 elsewhere",
        weight.iter::<f32>().collect::<Vec<_>>()
    );
    Ok(())
}
