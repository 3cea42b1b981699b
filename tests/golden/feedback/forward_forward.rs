//! Self-contrastive forward-forward learning of one convolution.

use burn::{
    nn::PaddingConfig2d,
    optim::SgdConfig,
    tensor::{Tensor, TensorData},
};
use burn_hebbian::{
    feedback::{Pairs, standardized},
    nn::PaddingMode,
    prelude::*,
    rules::ForwardForward,
};
use serde::Deserialize;

use super::{case::Case, chain::Layer, compare::Comparison, hyper::Edge};

#[derive(Deserialize)]
struct PairHyper {
    padding: [usize; 2],
    theta_pos: f64,
    theta_neg: f64,
    lambda: f64,
    negatives_per_image: usize,
    shifts: Vec<usize>,
    steepness: f64,
    padding_mode: String,
}

pub(super) fn self_contrastive(case: &Case, comparison: &mut Comparison) -> Result<(), String> {
    let hyper: PairHyper = case.hyper()?;
    let edge = Edge { kind: "conv".to_string(), ..case.hyper()? };
    let layer = Layer::of(case, &edge, ["w", "b"], PaddingMode::Zeros, comparison.dtype)?;
    let Layer::Convolution(mut layer) = layer else { return Err("no convolution".into()) };
    if hyper.steepness != 1.0
        || hyper.padding_mode != "reflect"
        || hyper.shifts.len() != hyper.negatives_per_image
    {
        return Err("only reflected pairs, a steepness of 1 and a shift for each negative are known".into());
    }
    // pairs bring their padding along
    layer.layer_mut().padding = PaddingConfig2d::Valid;
    ["w", "b", "image"].into_iter().for_each(|name| comparison.given(name));
    let images = standardized(case.tensor::<4>("image", comparison.dtype)?);
    comparison.check("image_standardised", images.clone());
    let pairs = |shift: usize| Pairs::new(images.clone(), shift, hyper.padding);
    let positive = pairs(0);
    let negative = hyper.shifts.iter().map(|shift| pairs(*shift)).reduce(Pairs::and).ok_or("no negatives")?;
    let rule = ForwardForward::self_contrastive(hyper.theta_pos, hyper.theta_neg);
    let bare = Subject { rule, layer };
    let subject = Subject { rule: rule.with_lambda(hyper.lambda), layer: bare.layer.clone() };

    let [up, down] = [("pos", &positive), ("neg", &negative)].map(|(name, pairs)| {
        let drive = subject.drive(pairs);
        comparison.check(&format!("input_{name}"), pairs.both());
        comparison.check(&format!("a_{name}"), subject.shaped(pairs, drive.clone()));
        let energy = rule.energy(drive.clone());
        let [n, _, height, width] = subject.dims(pairs);
        comparison.check(&format!("energy_{name}"), energy.clone().reshape([n, height, width]));
        (drive, energy)
    });
    comparison.check("loss", subject.rule.cost(up.1, down.1));
    comparison.check("coef_pos", subject.shaped(&positive, subject.rule.positive(up.0.clone())));
    comparison.check("coef_pos_no_lambda", subject.shaped(&positive, bare.rule.positive(up.0)));
    comparison.check("coef_neg", subject.shaped(&negative, subject.rule.negative(down.0)));
    let against = -1.0 / hyper.negatives_per_image as f64;
    subject.check_updates(["delta_w", "delta_b"], [(&positive, 1.0), (&negative, against)], comparison)?;
    let names = ["delta_w_no_lambda", "delta_b_no_lambda"];
    bare.check_updates(names, [(&positive, 1.0), (&negative, against)], comparison)
}

/// A layer and the rule that it learns by.
struct Subject {
    rule: ForwardForward,
    layer: HebbianConv2d,
}

impl Subject {
    /// The dimensions of the layer's output.
    fn dims(&self, pairs: &Pairs) -> [usize; 4] {
        self.layer.forward(pairs.sum()).dims()
    }

    /// The drive of pairs as rules see it; a layer's own drive counts the bias once, and is asked without it.
    fn drive(&self, pairs: &Pairs) -> Tensor<4> {
        let mut plain = self.layer.clone();
        let bias = plain.layer_mut().bias.take().map(|bias| bias.val());
        let dot = plain.drive(pairs.sum());
        let [n, neurons, height, width] = dot.dims();
        self.rule.drive(dot.reshape([n, 1, neurons, height * width]), bias)
    }

    fn shaped(&self, pairs: &Pairs, values: Tensor<4>) -> Tensor<4> {
        values.reshape(self.dims(pairs))
    }

    /// Positives and negatives in passes of their own, which add up.
    fn check_updates(
        &self,
        names: [&str; 2],
        passes: [(&Pairs, f64); 2],
        comparison: &mut Comparison,
    ) -> Result<(), String> {
        let plan = Plan::new().local(".*", LocalTraining::custom(self.rule));
        let said = |error: burn_hebbian::optim::UpdateError| error.to_string();
        let (layer, optim) =
            plan.init(self.layer.clone(), SgdConfig::new()).map_err(|error| error.to_string())?;
        let device = layer.layer().weight.device();
        let [positive, negative] = passes.map(|(pairs, sign)| {
            let sign = TensorData::new(vec![sign], [1, 1]);
            let sign = Tensor::<2>::from_data(sign, (&device, comparison.dtype));
            let signals = Signals::none().with_third_factor(sign);
            optim.observe(&layer, signals, |layer| drop(layer.forward(pairs.sum()))).map(|(_, seen)| seen)
        });
        let (positive, negative) = (positive.map_err(said)?, negative.map_err(said)?);
        let updates = positive.local_only().merge(negative.local_only()).map_err(said)?;
        let finished = optim.plan().finish(layer, updates).map_err(|error| error.to_string())?;
        Layer::Convolution(finished.0).check(names[0], Some(names[1]), &finished.1, comparison)
    }
}
