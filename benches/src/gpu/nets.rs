//! Steps of whole nets: forward pass and update of all convolutions, all at once.

use burn::{
    module::Module,
    optim::SgdConfig,
    tensor::{DType, Tensor},
};
use burn_hebbian::{
    lab::models::{ResNetConfig, SoftHebbConfig, VggConfig},
    optim::Rest,
    prelude::*,
    rules::Activation,
};

use super::{
    Bench, CHECK_EVERY, Cast,
    ceiling::Ceiling,
    report::{Entry, digits, head, ms, percent, row, times},
};

/// Images of CIFAR's training set.
const EPOCH: f64 = 50_000.0;

/// So small that weights stay what they are.
const RATE: f64 = 1e-9;

/// A net at one batch size.
#[derive(Debug, Clone, Copy)]
struct Net {
    name: &'static str,
    /// Height and width of an image.
    size: usize,
    batch: usize,
    /// Of the convolutions, an image.
    multiplications: f64,
}

const SOFT_HEBB: Net = Net { name: "SoftHebb", size: 32, batch: 10, multiplications: 432_046_080.0 };
const VGG: Net = Net { name: "VGG-11", size: 224, batch: 32, multiplications: 7_485_456_384.0 };
const RES_NET: Net = Net { name: "ResNet-50", size: 224, batch: 32, multiplications: 4_087_136_256.0 };

/// Measures and prints the steps of all nets.
///
/// # Panics
///
/// If a net cannot be built.
pub fn measure(bench: &Bench, ceiling: &Ceiling) {
    head(&[
        "net, rule, images a step",
        "layers",
        "forward, ms",
        "step, ms",
        "step / forward",
        "images/s",
        "50,000 images, s",
        "of the ceiling",
    ]);
    let nets = Nets { bench, ceiling };
    for dtype in bench.dtypes.iter().copied() {
        for batch in [10, 128] {
            nets.soft_hebb(Net { batch, ..SOFT_HEBB }, dtype);
        }
        nets.vgg(dtype);
        nets.res_net(dtype);
    }
}

struct Nets<'a> {
    bench: &'a Bench,
    ceiling: &'a Ceiling,
}

impl Nets<'_> {
    fn soft_hebb(&self, net: Net, dtype: DType) {
        let config = SoftHebbConfig::new(10);
        let tiny = config.clone().with_neurons([4, 6, 8]).with_image_size(16);
        let config = if self.bench.full { config } else { tiny };
        let training = ("its own", LocalTraining::of_the_layer());
        let others = [("SWTA", Rule::swta()), ("HPCA", Rule::hpca(Activation::Relu))];
        let others = others.map(|(name, rule)| (name, rule.into()));
        for (rule, training) in [training].into_iter().chain(others) {
            let model = config.init(&self.bench.device).expect("sizes that exist");
            let net = Net { size: config.image_size, ..net };
            self.steps(net, rule, dtype, plan("conv.*", training), model, |model, x| model.features(x));
        }
    }

    fn vgg(&self, dtype: DType) {
        let config = VggConfig::vgg11(1000);
        let tiny = VggConfig::vgg11(10).with_width(2).with_hidden(4);
        let config = if self.bench.full { config } else { tiny };
        for (name, rule) in rules() {
            self.largest(VGG, |net| {
                let model = config.init(&self.bench.device).expect("sizes that exist");
                let plan = plan("stages.*", rule.clone());
                self.steps(net, name, dtype, plan, model, |model, x| model.features(x))
            });
        }
    }

    fn res_net(&self, dtype: DType) {
        let config = ResNetConfig::resnet50(1000);
        let tiny = ResNetConfig::resnet50(10).with_width(2);
        let config = if self.bench.full { config } else { tiny };
        self.largest(RES_NET, |net| {
            let model = config.init(&self.bench.device).expect("sizes that exist");
            let plan = plan("(stem|layer).*", Rule::swta());
            self.steps(net, "SWTA", dtype, plan, model, |model, x| model.features(x))
        });
    }

    /// The net at its batch size, or at the first smaller one that fits.
    fn largest(&self, net: Net, steps: impl Fn(Net) -> Option<f64>) {
        let net = self.sized(net);
        [1, 2, 4].into_iter().find_map(|part| steps(Net { batch: net.batch / part, ..net }));
    }

    fn sized(&self, net: Net) -> Net {
        if self.bench.full { net } else { Net { size: 32, ..net } }
    }

    fn steps<M: Module>(
        &self,
        net: Net,
        rule: &str,
        dtype: DType,
        plan: Plan,
        model: M,
        features: impl Fn(&M, Tensor<4>) -> Tensor<4>,
    ) -> Option<f64> {
        let net = if self.bench.full { net } else { Net { batch: 2, ..net } };
        let name = format!("{} {rule} n{}", net.name, net.batch);
        if !self.bench.takes(&name) {
            return None;
        }
        let (model, mut optim) = plan.init(model, SgdConfig::new()).expect("the plan fits");
        let model = Cast::cast(dtype, model);
        let x = self.bench.normal([net.batch, 3, net.size, net.size], dtype);
        let forward = self.bench.timer.seconds(|| features(&model, x.clone()));
        let mut trained = Some(model);
        let step = self.bench.timer.seconds(|| {
            let model = trained.take().expect("the last step gave one");
            let observed = optim.observe(&model, Signals::none(), |model| features(model, x.clone()));
            let (_, seen) = observed.expect("the rules fit");
            trained = Some(optim.step(RATE, model, seen.local_only()).expect("finite"));
        });
        self.tell(net, name, dtype, [forward, step]);
        step
    }

    fn tell(&self, net: Net, name: String, dtype: DType, [forward, step]: [Option<f64>; 2]) {
        let multiplications = net.multiplications * net.batch as f64;
        for (what, seconds, products) in [("forward", forward, 1.0), ("step", step, 2.0)] {
            let flop = 2.0 * products * multiplications;
            self.bench.csv.add(Entry { part: "nets", case: &name, what, dtype, chosen: true, seconds, flop });
        }
        let share = self.ceiling.share(dtype, multiplications, step).filter(|_| self.bench.full);
        let rate = step.map(|seconds| net.batch as f64 / seconds);
        row(&[
            name,
            dtype.name().into(),
            ms(forward),
            ms(step),
            times(step, forward),
            rate.map_or("–".into(), digits),
            rate.map_or("–".into(), |rate| digits(EPOCH / rate)),
            percent(share),
        ]);
    }
}

fn plan(pattern: &str, training: impl Into<LocalTraining>) -> Plan {
    Plan::new().local(pattern, training).with_rest(Rest::Frozen).with_finite_check_every(CHECK_EVERY)
}

fn rules() -> [(&'static str, Rule); 3] {
    [("SWTA", Rule::swta()), ("HPCA", Rule::hpca(Activation::Relu)), ("SoftHebb", Rule::soft_hebb(1.0))]
}
