//! Half precision: what a layer sees is rounded, what it sums is not.
//!
//! A binary of its own, since data types are a setting of the whole process on some backends. Backends that do not
//! know a data type are listed as ignored.

use std::process::ExitCode;

use burn::{
    module::{Module, ModuleMapper, Param},
    nn::{Linear, LinearConfig},
    optim::SgdConfig,
    tensor::{DType, Device, Tensor},
};
use burn_hebbian::{
    prelude::*,
    rules::{Activation, Competition, Recurrence, Reduction},
};
use burn_hebbian_tests::{
    backends::backends,
    values::{assert_close, tensor, vec},
};
use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for dtype in [DType::F16, DType::BF16] {
        trials.extend(on_every_backend("thousands_of_patches_add_up", dtype, thousands_of_patches_add_up));
        trials.extend(on_every_backend("updates_are_those_of_f32", dtype, updates_are_those_of_f32));
        trials.extend(on_every_backend("weights_keep_their_type", dtype, weights_keep_their_type));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Ignored where the backend does not run here, or does not know the data type.
fn on_every_backend(name: &str, dtype: DType, body: fn(&Device, DType)) -> Vec<Trial> {
    backends()
        .iter()
        .map(|backend| {
            let device = backend.device.clone().filter(|device| device.supports_dtype(dtype));
            let skipped = device.is_none();
            let name = format!("{name}::{dtype:?}::{}", backend.name);
            let run = move || {
                body(&device.expect("ignored without a device"), dtype);
                Ok(())
            };
            Trial::test(name, run).with_ignored_flag(skipped)
        })
        .collect()
}

/// Changes the data type of all parameters.
struct Cast(DType);

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|values| values.cast(self.0))
    }
}

fn linear(weight: Tensor<2>, rule: Rule) -> Local<Linear> {
    let [inputs, neurons] = weight.dims();
    let mut linear = LinearConfig::new(inputs, neurons).with_bias(false).init(&weight.device());
    linear.weight = Param::from_tensor(weight);
    Local::new(linear).with_rule(rule)
}

/// `ΔW`, as the optimizer receives it.
fn learn(layer: &Local<Linear>, x: Tensor<2>) -> Tensor<2> {
    let (layer, plan) = Plan::new().bind(layer.clone()).unwrap();
    let (_, seen) = plan.observe(&layer, Signals::none(), |layer| layer.forward(x)).unwrap();
    let (layer, grads) = plan.finish(layer, seen.local_only()).unwrap();
    plan.check_finite().unwrap();
    grads.get::<2>(layer.layer().weight.id).unwrap().neg()
}

/// 20 000 patches of ones: in half precision a sum of ones stops growing at 2048 or 256.
fn thousands_of_patches_add_up(device: &Device, dtype: DType) {
    let x = Tensor::<2>::ones([20_000, 3], device).cast(dtype);
    for rule in [Rule::hard_wta(), Rule::hard_wta().with_reduction(Reduction::Mean), Rule::sanger()] {
        // both neurons see the same, the first wins; 0.25 and 0.75 are exact in half precision
        let weight = Tensor::<2>::full([3, 2], 0.25, device).cast(dtype);
        let delta = vec(learn(&linear(weight, rule.clone()), x.clone()).cast(DType::F32));
        let y = 0.75;
        let expected = match rule.recurrence {
            Recurrence::Sanger => [y * (1.0 - y * 0.25), y * (1.0 - 2.0 * y * 0.25)],
            _ => [0.75, 0.0],
        };
        assert_close(
            "update",
            &delta,
            &[expected; 3].concat(),
            1e-6 + f64::from(dtype == DType::BF16) * 4e-3,
        );
    }
}

/// Of the same rounded numbers; what differs is the rounding of the responses, and of the update itself.
fn updates_are_those_of_f32(device: &Device, dtype: DType) {
    let tolerance = if dtype == DType::F16 { 4e-3 } else { 3e-2 };
    let round = |values: Tensor<2>| values.cast(dtype);
    let (x, w) = (round(tensor(1, [64, 9], device)), round(tensor(2, [9, 5], device)));
    let rules = [
        ("hebb", Rule::hebb()),
        ("oja", Rule::oja()),
        ("sanger", Rule::hpca(Activation::Tanh)),
        ("swta", Rule::swta().with_competition(Competition::Softmax { temperature: 0.5 })),
        ("soft_hebb", Rule::soft_hebb(1.0).with_competition(Competition::Softmax { temperature: 1.0 })),
        ("outstar", Rule::outstar()),
        ("hpca_adaptive", Rule::hpca_adaptive()),
        ("bcm", Rule::bcm()),
    ];
    for (name, rule) in rules {
        let half = learn(&linear(w.clone(), rule.clone()), x.clone());
        assert_eq!(half.dtype(), dtype, "{name}");
        let whole = linear(w.clone().cast(DType::F32), rule);
        let whole = learn(&whole, x.clone().cast(DType::F32));
        assert_close(name, &vec(half.cast(DType::F32)), &vec(whole), tolerance);
    }
}

/// A model cast to half precision as a whole, its rules' state with it, still steps, and stays what it is.
fn weights_keep_their_type(device: &Device, dtype: DType) {
    for rule in [Rule::hpca_adaptive(), Rule::swta(), Rule::bcm()] {
        let layer = linear(tensor(3, [6, 4], device), rule);
        let (layer, mut optim) = Plan::new().init(layer, SgdConfig::new()).unwrap();
        let mut layer = layer.map(&mut Cast(dtype));
        let before = vec(layer.layer().weight.val().cast(DType::F32));
        for step in 0..3 {
            let x = tensor::<2>(10 + step, [16, 6], device).cast(dtype);
            let (_, seen) = optim.observe(&layer, Signals::none(), |layer| layer.forward(x)).unwrap();
            layer = optim.step(0.1, layer, seen.local_only()).unwrap();
        }
        let after = layer.layer().weight.val();
        assert_eq!(after.dtype(), dtype);
        assert_ne!(vec(after.cast(DType::F32)), before);
    }
}
