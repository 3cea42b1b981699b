//! Models of local layers under plans: what learns, what stays, what is refused.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use burn::{
    module::{Module, ModuleVisitor, Param},
    nn::loss::CrossEntropyLossConfig,
    optim::SgdConfig,
    tensor::{Device, Distribution, Int, Tensor},
};
use burn_hebbian_core::{Activation, Rule, Signals};
use burn_hebbian_lab::models::{
    BlockKind, DenseNetConfig, MobileNetConfig, ModelError, ResNetConfig, SoftHebbConfig, VggConfig,
};
use burn_hebbian_optim::{LocalTraining, Plan, Report, Rest, TrainedBy, UpdateError};

const CLASSES: usize = 5;

/// The numbers in a model, by path.
#[derive(Default)]
struct Values {
    path: Vec<String>,
    values: BTreeMap<String, Vec<f32>>,
}

impl Values {
    fn of(model: &impl Module) -> BTreeMap<String, Vec<f32>> {
        let mut values = Self::default();
        model.visit(&mut values);
        values.values
    }
}

impl ModuleVisitor for Values {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let values = param.val().into_data().iter::<f32>().collect();
        self.values.insert(self.path.join("."), values);
    }
}

/// What one step of `plan` does to the parameters of `model`.
struct Step {
    before: BTreeMap<String, Vec<f32>>,
    after: BTreeMap<String, Vec<f32>>,
    /// Local layers that the forward pass did not reach.
    unreached: Vec<String>,
}

impl Step {
    /// Of a forward pass on random images of 32 × 32 pixels and a backward pass, on an autodiff device.
    fn of<M: Module>(plan: &Plan, model: M, forward: impl Fn(&M, Tensor<4>) -> Tensor<2>) -> Result<Self> {
        Self::in_epoch(1, plan, model, forward)
    }

    fn in_epoch<M: Module>(
        epoch: usize,
        plan: &Plan,
        model: M,
        forward: impl Fn(&M, Tensor<4>) -> Tensor<2>,
    ) -> Result<Self> {
        let device = autodiff();
        let (model, mut optim) = plan.init(model, SgdConfig::new())?;
        let model = optim.begin_epoch(epoch, model)?;
        let before = Values::of(&model);
        let images = Tensor::random([4, 3, 32, 32], Distribution::Default, &device);
        let labels = Tensor::<1, Int>::from_ints([0, 1, 2, 3], &device);
        let (loss, seen) = optim.observe(&model, Signals::none(), |model| {
            CrossEntropyLossConfig::new().init(&device).forward(forward(model, images), labels)
        })?;
        let unreached = seen.unreached().into_iter().map(ToString::to_string).collect();
        let model = optim.step(0.1, model, seen.backward(loss)?).map_err(UpdateError::from)?;
        Ok(Self { before, after: Values::of(&model), unreached })
    }

    /// Asserts that every local layer was reached, that all is finite, and that of the parameters, running
    /// statistics aside, exactly those move that `learns` names.
    fn moves(&self, learns: impl Fn(&str) -> bool) {
        assert!(self.unreached.is_empty(), "not reached: {:?}", self.unreached);
        for (path, after) in &self.after {
            assert!(after.iter().all(|value| value.is_finite()), "{path} is not finite");
            let moved = after != &self.before[path];
            assert!(path.contains("running") || moved == learns(path), "{path} moved: {moved}");
        }
    }
}

fn autodiff() -> Device {
    let device = Device::flex().autodiff();
    device.seed(0);
    device
}

#[test]
fn all_square_kernels_of_a_resnet_learn_locally() -> Result<()> {
    let net = ResNetConfig::resnet18(CLASSES).with_width(4).init(&autodiff())?;
    let plan = Plan::new().local("layer.*unit.*conv", Rule::swta()).frozen(".*norm");
    let step = Step::of(&plan, net, |net, images| net.forward(images))?;
    // the gradients of the loss reach the other convolutions through the shortcuts
    step.moves(|path| !path.contains("norm"));
    Ok(())
}

#[test]
fn gradients_cross_the_local_layers_of_a_bottleneck_resnet() -> Result<()> {
    let net = ResNetConfig::new(BlockKind::Bottleneck, [1, 1, 2, 1], CLASSES).with_width(4);
    let hebbian = LocalTraining::new(Rule::hpca(Activation::Relu)).passing_gradients();
    let plan = Plan::new().local(".*unit2.*conv", hebbian);
    let step = Step::of(&plan, net.init(&autodiff())?, |net, images| net.forward(images))?;
    step.moves(|_| true);
    Ok(())
}

#[test]
fn depthwise_layers_of_a_mobilenet_learn_locally() -> Result<()> {
    let net = MobileNetConfig::v2(CLASSES).with_width_mult(0.1).with_divisor(2).with_head(20);
    let oja = LocalTraining::new(Rule::oja()).passing_gradients();
    let plan = Plan::new().local(".*depthwise.*conv", oja).frozen(".*norm");
    let step = Step::of(&plan, net.init(&autodiff())?, |net, images| net.forward(images))?;
    step.moves(|path| !path.contains("norm"));
    Ok(())
}

#[test]
fn a_competition_of_one_neuron_is_refused() -> Result<()> {
    let net = MobileNetConfig::v2(CLASSES).with_width_mult(0.1).with_divisor(2).with_head(20);
    let plan = Plan::new().local(".*depthwise.*conv", Rule::hard_wta());
    let error = plan.bind(net.init(&Device::flex())?).err().context("bound")?.to_string();
    assert!(error.contains("blocks.0.depthwise.conv"), "{error}");
    Ok(())
}

#[test]
fn dense_blocks_learn_locally() -> Result<()> {
    let net = DenseNetConfig::new([2, 3, 2, 2], CLASSES).with_width(6).with_growth(3).init(&autodiff())?;
    let plan = Plan::new()
        .frozen(".*")
        .local("blocks.*conv1", Rule::hpca(Activation::Relu))
        .local("blocks.*conv2", Rule::swta())
        .backprop("classifier");
    let step = Step::of(&plan, net, |net, images| net.forward(images))?;
    step.moves(|path| path.contains(".conv") && path.starts_with("blocks") || path.starts_with("classifier"));
    Ok(())
}

#[test]
fn all_of_a_vgg_learns_locally() -> Result<()> {
    let net = VggConfig::vgg11(CLASSES).with_batch_norm(true).with_width(3).with_hidden(10);
    let plan = Plan::new()
        .local("stages.*conv", Rule::instar())
        .local("fc[12]", Rule::oja())
        .backprop("fc3")
        .with_rest(Rest::Frozen);
    let step = Step::of(&plan, net.init(&autodiff())?, |net, images| net.forward(images))?;
    step.moves(|path| {
        path.ends_with("conv.weight")
            || ["fc1.weight", "fc2.weight"].contains(&path)
            || path.starts_with("fc3")
    });
    Ok(())
}

#[test]
fn soft_hebb_trains_its_convolutions_first_and_then_its_classifier() -> Result<()> {
    let config = SoftHebbConfig::new(CLASSES).with_neurons([6, 8, 10]);
    let net = config.init(&autodiff())?;
    let plan = SoftHebbConfig::plan();
    let phases = plan.phases(3);
    assert_eq!(phases, [1..=1, 2..=3]);
    let device = Device::flex();
    let images = Tensor::random([4, 3, 32, 32], Distribution::Default, &device);
    let (plain, mut optim) = plan.init(config.init(&device)?, SgdConfig::new())?;
    let plain = optim.begin_epoch(1, plain)?;
    assert!(!optim.plan().needs_backward());
    let before = Values::of(&plain);
    let (_, seen) = optim.observe(&plain, Signals::none(), |net| net.features(images))?;
    assert!(seen.unreached().is_empty());
    let after = Values::of(&optim.step(0.1, plain, seen.local_only())?);
    Step { before, after, unreached: Vec::new() }.moves(|path| path.starts_with("conv"));
    let step = Step::in_epoch(2, &plan, net, |net, images| net.forward(images))?;
    step.moves(|path| path.starts_with("classifier"));
    Ok(())
}

#[test]
fn norms_of_soft_hebb_have_nothing_to_learn() -> Result<()> {
    let net = SoftHebbConfig::new(CLASSES).with_neurons([6, 8, 10]).init(&autodiff())?;
    let plan = Plan::new().backprop("conv.*"); // gradients reach the norms
    let step = Step::of(&plan, net, |net, images| net.forward(images))?;
    step.moves(|path| !path.starts_with("bn"));
    Ok(())
}

#[test]
fn dropout_is_for_training() -> Result<()> {
    let device = autodiff();
    let net = VggConfig::vgg11(CLASSES).with_width(2).with_hidden(10).init(&device)?;
    let images = Tensor::random([4, 3, 32, 32], Distribution::Default, &device);
    let logits = || net.forward(images.clone()).into_data();
    assert_ne!(logits(), logits());
    let (net, images) = (net.valid(), images.clone().inner());
    let logits = || net.forward(images.clone()).into_data();
    assert_eq!(logits(), logits());
    Ok(())
}

#[test]
fn without_a_plan_deep_models_learn_by_backprop() -> Result<()> {
    fn report(net: impl Module) -> Result<Report> {
        Ok(Plan::new().bind(net)?.1.report())
    }

    let device = Device::flex();
    let reports = [
        report(VggConfig::vgg11(CLASSES).with_width(2).with_hidden(4).init(&device)?)?,
        report(ResNetConfig::resnet50(CLASSES).with_width(2).init(&device)?)?,
        report(DenseNetConfig::densenet121(CLASSES).with_width(2).with_growth(1).init(&device)?)?,
        report(MobileNetConfig::v2(CLASSES).with_width_mult(0.1).init(&device)?)?,
    ];
    for report in reports {
        for (path, by) in &report.parameters {
            assert!(path.contains("running") || *by == TrainedBy::Backprop, "{report}");
        }
    }
    Ok(())
}

/// Numbers that learn: weights, biases, γ and β.
fn learnable(model: &impl Module) -> usize {
    #[derive(Default)]
    struct Count {
        inside: Vec<String>,
        numbers: usize,
    }

    impl ModuleVisitor for Count {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.inside.push(name.to_string());
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.inside.pop();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.inside.last().is_some_and(|name| !name.starts_with("running")) {
                self.numbers += param.lazy_shape().num_elements();
            }
        }
    }

    let mut count = Count::default();
    model.visit(&mut count);
    count.numbers
}

/// torchvision's numbers of parameters, and its layers and theirs are as many.
#[test]
fn full_models_have_their_published_sizes() -> Result<()> {
    let device = Device::flex();
    assert_eq!(learnable(&VggConfig::vgg11(1000).init(&device)?), 132_863_336);
    assert_eq!(learnable(&VggConfig::vgg16(1000).init(&device)?), 138_357_544);
    assert_eq!(learnable(&ResNetConfig::resnet18(1000).init(&device)?), 11_689_512);
    assert_eq!(learnable(&ResNetConfig::resnet50(1000).init(&device)?), 25_557_032);
    assert_eq!(learnable(&DenseNetConfig::densenet121(1000).init(&device)?), 7_978_856);
    assert_eq!(learnable(&MobileNetConfig::v2(1000).init(&device)?), 3_504_872);
    Ok(())
}

#[test]
fn configurations_that_no_model_can_have_are_refused() {
    let device = Device::flex();
    let refused = |error: Option<ModelError>, message: &str| {
        assert_eq!(error.map(|error| error.to_string()).as_deref(), Some(message));
    };
    let vgg = VggConfig::vgg11(CLASSES);
    refused(vgg.clone().with_width(0).init(&device).err(), "VGG: width must be at least 1, got 0");
    refused(vgg.with_dropout(1.0).init(&device).err(), "VGG: dropout must be in 0..1, got 1");
    let resnet = ResNetConfig::new(BlockKind::Basic, [2, 0, 2, 2], CLASSES);
    refused(resnet.init(&device).err(), "ResNet: depths must be at least 1 each, got [2, 0, 2, 2]");
    let densenet = DenseNetConfig::densenet121(CLASSES).with_width(1);
    refused(densenet.init(&device).err(), "DenseNet: width must be at least 2, got 1");
    let mobilenet = MobileNetConfig::v2(CLASSES).with_width_mult(f64::NAN);
    refused(mobilenet.init(&device).err(), "MobileNet: width_mult must be positive, got NaN");
    let soft_hebb = SoftHebbConfig::new(CLASSES);
    let size = soft_hebb.clone().with_image_size(28);
    refused(size.init(&device).err(), "SoftHebb: image_size must be a multiple of 8, got 28");
    let alone = soft_hebb.with_neurons([6, 1, 6]);
    refused(alone.init(&device).err(), "SoftHebb: neurons must be at least 2 each, got [6, 1, 6]");
}
