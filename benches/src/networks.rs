//! Whole networks, and one step of each kind of training.

use burn::{
    module::Module,
    nn::loss::CrossEntropyLossConfig,
    optim::{GradientsParams, ModuleOptimizer, SgdConfig},
    tensor::{Device, Distribution, Int, Tensor},
};
use burn_hebbian::{
    lab::models::{DenseNet, DenseNetConfig, ResNet, ResNetConfig, SixLayer, SixLayerConfig, Vgg, VggConfig},
    optim::{Rest, Updates},
    prelude::*,
    train::Classifier,
};

/// Classes of every network.
pub const CLASSES: usize = 10;

/// Small enough for weights to stay what they are over a bench: no rule diverges.
pub const RATE: f64 = 1e-6;

/// A network of the benches, in the sizes in which it is measured.
pub trait Network: Module {
    /// What tables call it.
    const NAME: &'static str;

    /// Images, channels, height and width.
    const IMAGES: [usize; 4];

    /// The paths of the layers that learn by a rule, in a Hebbian network.
    const HIDDEN: &'static str;

    /// Those of them that are linear, if there are any.
    const LINEAR: Option<&'static str> = None;

    /// The path of the classifier.
    const CLASSIFIER: &'static str;

    /// Random weights; the outputs of Hebbian layers, or those of layers that learn by backprop.
    fn new(hebbian: bool, device: &Device) -> Self;

    /// `[n, channels, height, width]` → `[n, classes]`.
    fn scores(&self, images: Tensor<4>) -> Tensor<2>;

    /// A batch of images.
    fn images(device: &Device) -> Tensor<4> {
        Tensor::random(Self::IMAGES, Distribution::Normal(0.0, 1.0), device)
    }

    /// The classes of these images.
    fn labels(device: &Device) -> Tensor<1, Int> {
        Tensor::<1, Int>::arange(0..Self::IMAGES[0] as i64, device).remainder_scalar(CLASSES as i64)
    }

    /// Every hidden layer by `rule`, the classifier as teacher neurons; γ, β and biases are frozen.
    fn plan(rule: Rule) -> Plan {
        Plan::new().local(Self::HIDDEN, rule).local(Self::CLASSIFIER, Rule::teacher()).with_rest(Rest::Frozen)
    }

    /// The same with the hidden linear layers frozen, if there are any.
    fn plan_of_convolutions(rule: Rule) -> Option<Plan> {
        Some(Self::plan(rule).frozen(Self::LINEAR?))
    }
}

impl Network for SixLayer {
    const NAME: &'static str = "six-layer";
    const IMAGES: [usize; 4] = [64, 3, 32, 32];
    const HIDDEN: &'static str = "conv.|fc5";
    const LINEAR: Option<&'static str> = Some("fc5");
    const CLASSIFIER: &'static str = "fc6";

    fn new(hebbian: bool, device: &Device) -> Self {
        SixLayerConfig::thesis(CLASSES).with_hebbian([hebbian; 6]).init(device)
    }

    fn scores(&self, images: Tensor<4>) -> Tensor<2> {
        Classifier::scores(self, images)
    }
}

/// A network whose layers have the same outputs however they learn.
macro_rules! network {
    ($net:ty, $config:expr, $name:literal, $images:expr, $hidden:literal, $linear:expr, $classifier:literal) => {
        impl Network for $net {
            const NAME: &'static str = $name;
            const IMAGES: [usize; 4] = $images;
            const HIDDEN: &'static str = $hidden;
            const LINEAR: Option<&'static str> = $linear;
            const CLASSIFIER: &'static str = $classifier;

            fn new(_hebbian: bool, device: &Device) -> Self {
                $config.init(device).expect("a published size")
            }

            fn scores(&self, images: Tensor<4>) -> Tensor<2> {
                self.forward(images)
            }
        }
    };
}

network!(
    Vgg,
    VggConfig::vgg11(CLASSES).with_batch_norm(true).with_dropout(0.0),
    "VGG-11",
    [2, 3, 224, 224],
    "stages.*conv|fc[12]",
    Some("fc[12]"),
    "fc3"
);
network!(ResNet, ResNetConfig::resnet18(CLASSES), "ResNet-18", [16, 3, 64, 64], ".*conv", None, "fc");
network!(
    DenseNet,
    DenseNetConfig::densenet121(CLASSES),
    "DenseNet-121",
    [16, 3, 64, 64],
    ".*conv[12]?",
    None,
    "classifier"
);

/// A network that learns by local rules alone, on a plain device, with a batch to train on.
pub struct Hebbian<N> {
    optim: LocalOptimizer,
    net: Option<N>,
    scores: fn(&N, Tensor<4>) -> Tensor<2>,
    images: Tensor<4>,
    labels: Tensor<1, Int>,
}

impl<N: Network> Hebbian<N> {
    /// By a plan.
    ///
    /// # Panics
    ///
    /// If it does not fit the network.
    pub fn new(plan: &Plan) -> Self {
        let device = Device::flex();
        Self::of(N::new(true, &device), N::scores, plan, N::images(&device), N::labels(&device))
    }
}

impl<N: Module> Hebbian<N> {
    /// A network by a plan, on a batch.
    ///
    /// # Panics
    ///
    /// If the plan does not fit the network.
    pub fn of(
        net: N,
        scores: fn(&N, Tensor<4>) -> Tensor<2>,
        plan: &Plan,
        images: Tensor<4>,
        labels: Tensor<1, Int>,
    ) -> Self {
        let (net, optim) = plan.init(net, SgdConfig::new()).expect("the plan fits");
        Self { optim, net: Some(net), scores, images, labels }
    }

    /// The forward pass alone, as in inference.
    pub fn forward(&self) -> Tensor<2> {
        (self.scores)(self.net(), self.images.clone())
    }

    /// Forward pass, what the layers learn in it, and the optimizer's step.
    pub fn step(&mut self) {
        self.step_at(RATE);
    }

    /// A step at another learning rate.
    pub fn step_at(&mut self, rate: f64) {
        let updates = self.learn();
        self.apply(updates, rate);
    }

    /// The forward pass and what the layers learn in it.
    ///
    /// # Panics
    ///
    /// If a layer cannot learn from the labels.
    pub fn learn(&self) -> Updates {
        let teacher = self.labels.clone().one_hot(CLASSES).float();
        let signals = Signals::none().with_teacher(teacher);
        let scores = |net: &N| (self.scores)(net, self.images.clone());
        let (_, seen) = self.optim.observe(self.net(), signals, scores).expect("the plan fits");
        seen.local_only()
    }

    /// The optimizer's step.
    ///
    /// # Panics
    ///
    /// If an update is not finite.
    pub fn apply(&mut self, updates: Updates, rate: f64) {
        let net = self.net.take().expect("between steps there is a network");
        self.net = Some(self.optim.step(rate, net, updates).expect("finite"));
    }

    /// The network as it is now.
    pub fn net(&self) -> &N {
        self.net.as_ref().expect("between steps there is a network")
    }
}

/// A network that learns by backprop alone, by nothing but Burn, with a batch to train on.
pub struct Backprop<N> {
    optimizer: ModuleOptimizer,
    net: Option<N>,
    images: Tensor<4>,
    labels: Tensor<1, Int>,
}

impl<N: Network> Default for Backprop<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<N: Network> Backprop<N> {
    /// On an autodiff device.
    pub fn new() -> Self {
        let device = Device::flex().autodiff();
        let (images, labels) = (N::images(&device), N::labels(&device));
        Self { optimizer: SgdConfig::new().init(), net: Some(N::new(false, &device)), images, labels }
    }

    /// Forward pass, cross-entropy, backward pass and optimizer: no rule, the convolutions by their own gradients.
    ///
    /// # Panics
    ///
    /// If the step before this one panicked.
    pub fn step(&mut self) {
        let net = self.net.take().expect("between steps there is a network");
        let loss = CrossEntropyLossConfig::new().init(&self.images.device());
        let grads = loss.forward(net.scores(self.images.clone()), self.labels.clone()).backward();
        let grads = GradientsParams::from_grads(grads, &net);
        self.net = Some(self.optimizer.step(RATE, net, grads));
    }
}
