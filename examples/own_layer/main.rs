//! A layer of one's own that learns by any rule: locally connected, a convolution whose positions share no weights.
//!
//! ```text
//! cargo run --release --example own_layer
//! ```

mod layer;

use anyhow::Result;
use burn::{
    module::Param,
    optim::SgdConfig,
    tensor::{Device, Distribution, Tensor},
};
use burn_hebbian::prelude::*;

use layer::{FILTERS, LocallyConnected, POSITIONS, TAPS, forward};

fn main() -> Result<()> {
    let device = Device::flex();
    let weight = Tensor::random([POSITIONS, TAPS, FILTERS], Distribution::Normal(0.0, 0.5), &device);
    let layer = Local::from(LocallyConnected { weight: Param::from_tensor(weight) });
    let (mut layer, mut optim) = Plan::new().local(".*", Rule::oja()).init(layer, SgdConfig::new())?;
    let x = Tensor::random([64, POSITIONS * TAPS], Distribution::Normal(0.0, 1.0), &device);
    for _ in 0..500 {
        let (_, seen) = optim.observe(&layer, Signals::none(), |layer| forward(layer, x.clone()))?;
        layer = optim.step(0.1, layer, seen.local_only())?;
    }
    // Oja's rule finds the first principal component of what each position sees, at unit length
    let norms = layer.layer().weight.val().powi_scalar(2).sum_dim(1).sqrt();
    println!("norms of the weight vectors, a row a position:\n{}", norms.squeeze_dim::<2>(1));
    Ok(())
}
