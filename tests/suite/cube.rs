//! On GPUs a rule is one kernel over the responses, however these lie in memory; here against the portable stages on the CPU.

use burn::{
    module::{Module, Param, ParamId},
    optim::SgdConfig,
    tensor::{DType, Device, Tensor},
};
use burn_hebbian::{
    nn::{Geometry, Trainable, forms::CorrelationForm},
    prelude::*,
    rules::WeightLayout,
};
use burn_hebbian_tests::values::{assert_close, tensor, vec};
use libtest_mimic::Trial;

use crate::{fused, on_every_gpu};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_every_gpu("cube::responses_of_neighboring_positions", neighboring_positions);
    trials.extend(on_every_gpu("cube::convolutions_equal_the_oracle", |device| {
        let sizes = ["strided", "groups", "few large neurons"];
        let layers = fused::layers().into_iter().filter(|(name, _)| sizes.contains(name));
        fused::equals_the_oracle(device, layers.collect());
    }));
    trials
}

/// Images, groups, neurons and taps of a group, positions: fewer than a cube of units takes, more, and none of them even.
const SIZES: [[usize; 5]; 4] = [[1, 1, 2, 3, 1], [5, 2, 3, 4, 7], [3, 1, 70, 6, 33], [2, 3, 40, 5, 150]];

fn neighboring_positions(device: &Device) {
    for sizes in SIZES {
        for (name, rule) in fused::rules().into_iter().filter(|(name, _)| sizes[2] > 3 || *name != "losers") {
            let [got, expected] = [device, &Device::flex()].map(|device| step(&rule, sizes, device));
            assert_close(&format!("{name}, {sizes:?}"), &got, &expected, 1e-5);
        }
    }
}

/// The weight after one step.
fn step(rule: &Rule, [n, groups, neurons, taps, positions]: [usize; 5], device: &Device) -> Vec<f64> {
    let weight = Param::from_tensor(tensor(1, [groups * neurons, taps], device));
    let (layer, mut optim) = Plan::new()
        .local(".*", rule.clone())
        .init(Local::from(Pixels { weight, groups }), SgdConfig::new())
        .expect("the rule fits");
    let x: Tensor<3> = tensor(2, [n, groups * taps, positions], device);
    let geometry = PerPixel(layer.layer().layout());
    let forward = |layer: &Local<Pixels>| layer.forward_by(&geometry, x, &layer.layer().weight, None);
    let (_, seen) = optim.observe(&layer, Signals::none(), forward).expect("it learns");
    let layer = optim.step(0.1, layer, seen.local_only()).expect("updates are finite");
    vec(layer.layer().weight.val())
}

/// Neurons that see one pixel, `[groups · neurons, channels / groups]`.
#[derive(Module, Debug)]
struct Pixels {
    weight: Param<Tensor<2>>,
    groups: usize,
}

impl Trainable for Pixels {
    fn weight_id(&self) -> ParamId {
        self.weight.id
    }

    fn weight_device(&self) -> Device {
        self.weight.lazy_device()
    }

    fn weight_dtype(&self) -> DType {
        self.weight.dtype()
    }

    fn layout(&self) -> WeightLayout {
        let [neurons, taps] = self.weight.dims();
        WeightLayout { groups: self.groups, before: 1, neurons: neurons / self.groups, after: taps }
    }
}

/// Their operator by products that leave the positions of a neuron side by side.
#[derive(Clone)]
struct PerPixel(WeightLayout);

impl PerPixel {
    /// `[n, groups · rows, positions]` → `[n, groups, rows, positions]`.
    fn by_group(&self, values: Tensor<3>) -> Tensor<4> {
        let [n, rows, positions] = values.dims();
        values.reshape([n, self.0.groups, rows / self.0.groups, positions])
    }

    fn weights(&self, w: Tensor<2>) -> Tensor<4> {
        w.reshape([1, self.0.groups, self.0.neurons, self.0.after])
    }
}

impl Geometry<3, 2> for PerPixel {
    fn name(&self) -> &'static str {
        "per_pixel"
    }

    fn layout(&self) -> WeightLayout {
        self.0
    }

    fn respond(&self, x: Tensor<3>, w: Tensor<2>) -> Tensor<3> {
        let y = self.weights(w).matmul(self.by_group(x));
        let [n, groups, neurons, positions] = y.dims();
        y.reshape([n, groups * neurons, positions])
    }

    fn feed_back(&self, dy: Tensor<3>, w: Tensor<2>, input: [usize; 3]) -> Tensor<3> {
        self.weights(w).swap_dims(2, 3).matmul(self.by_group(dy)).reshape(input)
    }

    fn correlate(&self, x: Tensor<3>, c: Tensor<3>, _form: Option<CorrelationForm>) -> Tensor<2> {
        let sums = self.by_group(c).matmul(self.by_group(x).swap_dims(2, 3)).sum_dim(0);
        sums.reshape([self.0.total_neurons(), self.0.after])
    }

    fn patch_energy(&self, x: Tensor<3>) -> Tensor<4> {
        self.by_group(x.square()).sum_dim(2)
    }
}
