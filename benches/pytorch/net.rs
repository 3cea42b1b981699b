//! Whole networks of the literature, with weights and a batch from PyTorch.

use std::{cell::RefCell, collections::BTreeMap, path::Path, time::Instant};

use anyhow::{Context, Result, bail};
use burn::{
    module::Module,
    tensor::{Device, Int, Tensor},
};
use burn_hebbian::{
    lab::models::{
        DenseNet, DenseNetConfig, MobileNet, MobileNetConfig, ResNet, ResNetConfig, Vgg, VggConfig,
        pytorch::FromPytorch,
    },
    optim::Rest,
    prelude::*,
    rules::Activation,
};
use burn_hebbian_benches::{
    memory::peak_of,
    networks::{CLASSES, Hebbian},
};

use crate::weights::weights;

/// A network with its batch.
pub(crate) trait Training {
    /// The seconds of the last of some forward passes, or of some steps by a rule; the others warm up.
    fn seconds(&self, work: &str, repeats: usize) -> Result<f64>;

    /// The bytes that a step needs beyond weights and images.
    fn peak(&self, work: &str) -> Result<usize>;

    /// How far the weights after a step at a rate are from those that another writes, of a layer's largest: the worst.
    fn apart(&self, work: &str, rate: f64, after: &Path) -> Result<(f64, String)>;
}

/// One of them.
struct Loaded<N> {
    net: N,
    scores: fn(&N, Tensor<4>) -> Tensor<2>,
    /// Paths of the layers that learn by a rule, and of the classifier.
    paths: [&'static str; 2],
    /// Of those that have one neuron a group, and learn by Oja's rule, if there are any.
    depthwise: Option<&'static str>,
    images: Tensor<4>,
    labels: Tensor<1, Int>,
    trainings: RefCell<BTreeMap<String, Hebbian<N>>>,
}

/// By its name in torchvision; with the weights of a file.
pub(crate) fn load(
    name: &str,
    weights: &Path,
    images: Tensor<4>,
    labels: Tensor<1, Int>,
) -> Result<Box<dyn Training>> {
    let device = Device::flex();
    macro_rules! loaded {
        ($config:expr, $scores:expr, $hidden:literal, $classifier:literal) => {
            loaded!($config, $scores, $hidden, $classifier, None)
        };
        ($config:expr, $scores:expr, $hidden:literal, $classifier:literal, $depthwise:expr) => {{
            let net = $config.init(&device)?.load_pytorch(weights)?;
            let (paths, depthwise, trainings) = ([$hidden, $classifier], $depthwise, RefCell::default());
            Ok(Box::new(Loaded { net, scores: $scores, paths, depthwise, images, labels, trainings }))
        }};
    }
    match name {
        "densenet121" => {
            loaded!(DenseNetConfig::densenet121(CLASSES), DenseNet::forward, ".*conv[12]?", "classifier")
        }
        "resnet18" => loaded!(ResNetConfig::resnet18(CLASSES), ResNet::forward, ".*conv", "fc"),
        "resnet50" => loaded!(ResNetConfig::resnet50(CLASSES), ResNet::forward, ".*conv", "fc"),
        "vgg11_bn" => {
            let config = VggConfig::vgg11(CLASSES).with_batch_norm(true).with_dropout(0.0);
            loaded!(config, Vgg::forward, "stages.*conv|fc[12]", "fc3")
        }
        "mobilenet_v2" => {
            let config = MobileNetConfig::new(CLASSES).with_dropout(0.0);
            loaded!(config, MobileNet::forward, ".*conv", "classifier", Some(".*depthwise.conv"))
        }
        _ => bail!("no network `{name}`"),
    }
}

impl<N: Module + Clone + 'static> Loaded<N> {
    fn rule(work: &str) -> Result<Rule> {
        match work {
            "swta" => Ok(Rule::swta()),
            "hpca" => Ok(Rule::hpca(Activation::Relu)),
            "hebb" => Ok(Rule::hebb()),
            _ => bail!("unknown work `{work}`"),
        }
    }

    fn training(&self, work: &str) -> Result<Hebbian<N>> {
        let rule = Self::rule(work)?;
        let [hidden, classifier] = self.paths;
        let plan = Plan::new().local(hidden, rule).local(classifier, Rule::teacher()).with_rest(Rest::Frozen);
        let plan = match self.depthwise {
            Some(depthwise) => plan.local(depthwise, Rule::oja()),
            None => plan,
        };
        // parameters of its own: a step in place must not copy because another training looks on
        let device = Device::flex();
        let net = self.net.clone().fork(&device);
        Ok(Hebbian::of(net, self.scores, &plan, self.images.clone(), self.labels.clone()))
    }

    /// The training of a work; a forward pass is that of any of them.
    fn with<R>(&self, work: &str, f: impl FnOnce(&mut Hebbian<N>) -> R) -> Result<R> {
        let work = if work == "forward" { "swta" } else { work };
        let mut trainings = self.trainings.borrow_mut();
        if !trainings.contains_key(work) {
            trainings.insert(work.to_string(), self.training(work)?);
        }
        Ok(f(trainings.get_mut(work).context("inserted above")?))
    }
}

fn run<N: Module>(training: &mut Hebbian<N>, work: &str) {
    match work {
        "forward" => drop(training.forward()),
        _ => training.step(),
    }
}

impl<N: FromPytorch + Clone + 'static> Training for Loaded<N> {
    fn seconds(&self, work: &str, repeats: usize) -> Result<f64> {
        self.with(work, |training| {
            (1..repeats).for_each(|_| run(training, work));
            let start = Instant::now();
            run(training, work);
            start.elapsed().as_secs_f64()
        })
    }

    fn peak(&self, work: &str) -> Result<usize> {
        self.with(work, |training| {
            run(training, work);
            peak_of(|| run(training, work))
        })
    }

    fn apart(&self, work: &str, rate: f64, after: &Path) -> Result<(f64, String)> {
        let mut training = self.training(work)?;
        training.step_at(rate);
        let other = self.net.clone().load_pytorch(after)?;
        let [ours, others] = [weights(training.net()), weights(&other)];
        let apart = ours.into_iter().zip(&others).map(|(a, b)| (relative(&a.values, &b.values), a.path));
        apart.max_by(|a, b| a.0.total_cmp(&b.0)).context("no weight")
    }
}

/// The largest difference, of the largest magnitude.
fn relative(a: &[f32], b: &[f32]) -> f64 {
    let largest = b.iter().fold(0f32, |largest, b| largest.max(b.abs()));
    let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    f64::from(
        apart.fold(0f32, |worst, apart| if apart > worst || apart.is_nan() { apart } else { worst })
            / largest,
    )
}
