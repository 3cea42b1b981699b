//! A layer of the user's, built from the public API alone: each position is a linear layer of its own.

#[path = "../../examples/own_layer/layer.rs"]
mod layer;

use burn::{
    module::Param,
    nn::LinearConfig,
    tensor::{Device, Tensor},
};
use burn_hebbian::{prelude::*, rules::Activation};
use burn_hebbian_tests::values::{assert_close, tensor, vec};
use libtest_mimic::Trial;

use self::layer::{FILTERS, LocallyConnected, POSITIONS, TAPS, forward};
use crate::on_every_backend;

const IMAGES: usize = 6;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_every_backend("own_layer::learns_as_a_linear_layer_a_position", learns);
    trials.extend(on_every_backend("own_layer::gradients_pass", gradients_pass));
    trials
}

fn own(device: &Device) -> Local<LocallyConnected> {
    Local::from(LocallyConnected {
        weight: Param::from_tensor(tensor(1, [POSITIONS, TAPS, FILTERS], device)),
    })
}

fn rules() -> [Rule; 5] {
    [Rule::oja(), Rule::swta(), Rule::hpca(Activation::Relu), Rule::instar(), Rule::bcm()]
}

/// The update of every position against that of a linear layer with its weights and its part of the input.
fn learns(device: &Device) {
    for rule in rules() {
        let plan = Plan::new().local(".*", rule.clone());
        let x = tensor::<2>(2, [IMAGES, POSITIONS * TAPS], device);
        let (layer, mut optim) = plan.init(own(device), burn::optim::SgdConfig::new()).unwrap();
        let (y, seen) = optim.observe(&layer, Signals::none(), |layer| forward(layer, x.clone())).unwrap();
        let before = layer.layer().weight.val();
        let after = optim.step(1.0, layer, seen.local_only()).unwrap().layer().weight.val();
        for position in 0..POSITIONS {
            let mut linear = LinearConfig::new(TAPS, FILTERS).with_bias(false).init(device);
            linear.weight = Param::from_tensor(before.clone().narrow(0, position, 1).squeeze_dim(0));
            let (linear, mut optim) = plan.init(Local::from(linear), burn::optim::SgdConfig::new()).unwrap();
            let part = x.clone().narrow(1, position * TAPS, TAPS);
            let (expected, seen) =
                optim.observe(&linear, Signals::none(), |linear| linear.forward(part)).unwrap();
            let linear = optim.step(1.0, linear, seen.local_only()).unwrap();
            let what = format!("{rule:?}, position {position}");
            let own = after.clone().narrow(0, position, 1);
            assert_close(&what, &vec(own), &vec(linear.layer().weight.val()), 1e-5);
            let own = y.clone().narrow(1, position * FILTERS, FILTERS);
            assert_close(&what, &vec(own), &vec(expected), 1e-5);
        }
    }
}

/// Through the layer to its input, against Burn's own gradient of the same products.
fn gradients_pass(device: &Device) {
    let device = device.clone().autodiff();
    let plan = Plan::new().local(".*", LocalTraining::new(Rule::swta()).passing_gradients());
    let (layer, plan) = plan.bind(own(&device)).unwrap();
    let leaf = || tensor::<2>(2, [IMAGES, POSITIONS * TAPS], &device).require_grad();
    let x = leaf();
    let (y, _) = plan.observe(&layer, Signals::none(), |layer| forward(layer, x.clone())).unwrap();
    let gradient = x.grad(&(y.clone() * y).sum().backward()).expect("gradients pass");
    let z = leaf();
    let by_position = z.clone().reshape([IMAGES, POSITIONS, TAPS]).swap_dims(0, 1);
    let y: Tensor<3> = by_position.matmul(layer.layer().weight.val());
    let expected = z.grad(&(y.clone() * y).sum().backward()).expect("a leaf");
    assert_close("∂/∂x", &vec(gradient), &vec(expected), 1e-5);
}
