//! A small dense net and a small convolutional one, and the gradient that autodiff has for them.

use burn::{
    module::{Module, Param},
    nn::{LinearConfig, PaddingConfig2d, conv::Conv2dConfig, pool::MaxPool2dConfig},
    optim::SgdConfig,
    tensor::{DType, Device, Tensor, TensorData, activation::relu},
};
use burn_hebbian::{
    feedback::{Chain, CostFunction, Method, Pool},
    optim::{LocalOptimizer, Updates},
    prelude::*,
};
use burn_hebbian_tests::values::{numbers, vec};

/// Values in ±scale, in double precision.
pub(crate) fn values<const D: usize>(seed: u64, dims: [usize; D], scale: f64, device: &Device) -> Tensor<D> {
    let numbers = numbers(seed, dims.iter().product()).into_iter().map(|v| f64::from(v) * scale);
    Tensor::from_data(TensorData::new(numbers.collect::<Vec<_>>(), dims), (device, DType::F64))
}

/// One-hot targets in double precision, image `i` of class `i % classes`.
pub(crate) fn targets(images: usize, classes: usize, device: &Device) -> Tensor<2> {
    burn_hebbian_tests::values::one_hot(images, classes, device).cast(DType::F64)
}

pub(crate) fn dense(seed: u64, inputs: usize, outputs: usize, scale: f64, device: &Device) -> HebbianLinear {
    let mut linear = LinearConfig::new(inputs, outputs).init(device);
    linear.weight = Param::from_tensor(values(seed, [inputs, outputs], scale, device));
    linear.bias = Some(Param::from_tensor(values(seed + 100, [outputs], 0.2, device)));
    linear.into()
}

/// 6 → 5 → 4 → 3.
#[derive(Module, Debug)]
pub(crate) struct Dense {
    pub(crate) first: HebbianLinear,
    pub(crate) second: HebbianLinear,
    pub(crate) output: HebbianLinear,
}

impl Dense {
    pub(crate) fn new(scale: f64, device: &Device) -> Self {
        Self {
            first: dense(1, 6, 5, scale, device),
            second: dense(2, 5, 4, scale, device),
            output: dense(3, 4, 3, scale, device),
        }
    }

    pub(crate) fn chain(&self) -> Chain<'_> {
        Chain::new([6]).layer(&self.first).layer(&self.second).layer(&self.output)
    }

    /// A feed-forward pass with this activation of hidden layers.
    pub(crate) fn forward(&self, x: Tensor<2>, f: fn(Tensor<2>) -> Tensor<2>) -> Tensor<2> {
        self.output.forward(f(self.second.forward(f(self.first.forward(x)))))
    }
}

/// Two convolutions, pooled by average, and a linear layer: 2 × 8 × 6 → 3 × 4 × 3 → 4 × 2 × 1 → 3.
#[derive(Module, Debug)]
pub(crate) struct Convolutional {
    pub(crate) first: HebbianConv2d,
    pub(crate) second: HebbianConv2d,
    pub(crate) output: HebbianLinear,
}

impl Convolutional {
    pub(crate) fn new(scale: f64, device: &Device) -> Self {
        let conv = |seed, channels: [usize; 2]| {
            let config =
                Conv2dConfig::new(channels, [3, 3]).with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1));
            let mut conv = config.init(device);
            conv.weight = Param::from_tensor(values(seed, [channels[1], channels[0], 3, 3], scale, device));
            conv.bias = Some(Param::from_tensor(values(seed + 100, [channels[1]], 0.2, device)));
            Local::new(conv)
        };
        Self { first: conv(4, [2, 3]), second: conv(5, [3, 4]), output: dense(6, 8, 3, scale, device) }
    }

    pub(crate) fn chain(&self, pool: Pool) -> Chain<'_> {
        Chain::new([2, 8, 6]).pooled(&self.first, pool).pooled(&self.second, pool).layer(&self.output)
    }

    /// A feed-forward pass with ReLU and the maximum of windows.
    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let windows = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
        let pool = |x: Tensor<4>| windows.forward(relu(x));
        self.output.forward(pool(self.second.forward(pool(self.first.forward(x)))).flatten(1, 3))
    }
}

/// A model bound to learn all its layers from given states.
pub(crate) fn bound<M: Module>(model: M) -> (M, LocalOptimizer) {
    let plan = Plan::new().local(".*", LocalTraining::from_given_states());
    plan.init(model, SgdConfig::new()).unwrap()
}

/// The updates of all parameters of a bound model, ascent, end to end.
pub(crate) fn flat<M: Module>(model: &M, optim: &LocalOptimizer, updates: Updates) -> Vec<f64> {
    let (model, grads) = optim.plan().finish(model.clone(), updates).unwrap();
    gradients(&model, &grads).into_iter().map(|value| -value).collect()
}

/// Gradients of all parameters of a model, end to end.
pub(crate) fn gradients<M: Module>(model: &M, grads: &burn::optim::GradientsParams) -> Vec<f64> {
    struct Collect<'a>(&'a burn::optim::GradientsParams, Vec<f64>);
    impl burn::module::ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.extend(self.0.get::<D>(param.id).map(vec).unwrap_or_default());
        }
    }
    let mut collect = Collect(grads, Vec::new());
    model.visit(&mut collect);
    collect.1
}

/// What a method teaches a bound model.
pub(crate) fn learned<M: Module, const D: usize>(
    method: &impl Method,
    (model, optim): &(M, LocalOptimizer),
    chain: impl for<'m> FnOnce(&'m M) -> Chain<'m>,
    x: Tensor<D>,
    y: Tensor<2>,
) -> Vec<f64> {
    let (_, updates) = method.learn(optim, model, chain, x, y).unwrap();
    flat(model, optim, updates)
}

/// The mean cost's descent by autodiff, of all parameters end to end.
pub(crate) fn descent<M: Module>(model: &M, cost: CostFunction, output: Tensor<2>, y: Tensor<2>) -> Vec<f64> {
    let y = if output.is_autodiff() { y.autodiff() } else { y };
    let loss = cost.value(output, y).mean();
    let grads = burn::optim::GradientsParams::from_grads(loss.backward(), model);
    gradients(model, &grads).into_iter().map(|value| -value).collect()
}

/// `|a − b| / |b|`.
pub(crate) fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
}
