//! One case through a Hebbian module, `observe`, `finish` and plain SGD.

use burn::{
    module::{Module, Param},
    nn::{LinearConfig, PaddingConfig2d, conv::Conv2dConfig},
    optim::{GradientsParams, SgdConfig},
    tensor::{Device, Tensor, TensorData},
};
use burn_hebbian::{
    nn::{PaddingMode, forms::Forms},
    optim::BoundPlan,
    prelude::*,
    rules::Rate,
};

use crate::{case::Case, compare::compare, family::Setup};

/// Five steps on the same input; compares whatever the case has.
pub(crate) fn run(case: &Case, setup: &Setup, forms: Forms) -> Result<(), String> {
    let device = Device::flex().autodiff();
    match case.data("w").map(|w| w.shape().num_dims()) {
        Some(2) => steps(linear(case, setup, &device)?.with_forms(forms), case, setup, &device),
        _ => steps(convolution(case, setup, &device)?.with_forms(forms), case, setup, &device),
    }
}

/// A Hebbian module with tensors in the layout of the cases.
trait Subject: Module {
    fn forward(&self, case: &Case, device: &Device) -> Result<TensorData, String>;
    fn weight(&self) -> TensorData;
    fn bias(&self) -> Option<TensorData>;
    /// The update, ascent.
    fn delta(&self, grads: &GradientsParams) -> Option<TensorData>;
}

impl Subject for HebbianConv2d {
    fn forward(&self, case: &Case, device: &Device) -> Result<TensorData, String> {
        Ok(self.forward(case.tensor("x", device)?).into_data())
    }

    fn weight(&self) -> TensorData {
        self.layer().weight.val().into_data()
    }

    fn bias(&self) -> Option<TensorData> {
        self.layer().bias.as_ref().map(|bias| bias.val().into_data())
    }

    fn delta(&self, grads: &GradientsParams) -> Option<TensorData> {
        Some(grads.get::<4>(self.layer().weight.id)?.neg().into_data())
    }
}

impl Subject for HebbianLinear {
    fn forward(&self, case: &Case, device: &Device) -> Result<TensorData, String> {
        Ok(self.forward(case.tensor::<2>("x", device)?).into_data())
    }

    fn weight(&self) -> TensorData {
        self.layer().weight.val().transpose().into_data()
    }

    fn bias(&self) -> Option<TensorData> {
        self.layer().bias.as_ref().map(|bias| bias.val().into_data())
    }

    fn delta(&self, grads: &GradientsParams) -> Option<TensorData> {
        Some(grads.get::<2>(self.layer().weight.id)?.neg().transpose().into_data())
    }
}

fn steps<S: Subject>(subject: S, case: &Case, setup: &Setup, device: &Device) -> Result<(), String> {
    let mut optimizer = SgdConfig::new().init();
    // the cases give `delta_w` before each neuron's rate
    let unrated = Plan::new().local(".*", setup.rule.clone().with_rate(Rate::One));
    let (bare, unrated) = unrated.bind(subject.clone()).map_err(|error| error.to_string())?;
    let (_, _, grads) = learn(&unrated, bare, case, device)?;
    check(case, "delta_w", subject.delta(&grads).ok_or("no update")?)?;
    let (mut subject, plan) = Plan::new().bind(subject).map_err(|error| error.to_string())?;
    for step in 1..=5 {
        let (output, finished, grads) = learn(&plan, subject, case, device)?;
        if step == 1 {
            check(case, "out", output)?;
        }
        subject = optimizer.step(case.lr, finished, grads);
        check(case, &format!("w{step}"), subject.weight())?;
        if let Some(bias) = subject.bias() {
            check(case, &format!("b{step}"), bias)?;
        }
    }
    Ok(())
}

/// The output of a forward pass, and the module and the gradients that it finishes with.
fn learn<S: Subject>(
    plan: &BoundPlan,
    subject: S,
    case: &Case,
    device: &Device,
) -> Result<(TensorData, S, GradientsParams), String> {
    let signals = match case.data("teacher") {
        Some(_) => Signals::none().with_teacher(case.tensor("teacher", device)?),
        None => Signals::none(),
    };
    let observed = plan.observe(&subject, signals, |subject| subject.forward(case, device));
    let (output, seen) = observed.map_err(|error| error.to_string())?;
    let finished = plan.finish(subject, seen.local_only());
    let (subject, grads) = finished.map_err(|error| error.to_string())?;
    Ok((output?, subject, grads))
}

fn convolution(case: &Case, setup: &Setup, device: &Device) -> Result<HebbianConv2d, String> {
    let w: Tensor<4> = case.tensor("w", device)?;
    let [neurons, channels, height, width] = w.dims();
    let (stride, padding) = (case.integer("stride")?, case.integer("padding")?);
    let mut conv = Conv2dConfig::new([channels, neurons], [height, width])
        .with_bias(false)
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
        .init(device);
    conv.weight = Param::from_tensor(w);
    let mode = match case.text("padding_mode") {
        Ok("reflect") => PaddingMode::Reflect,
        _ => PaddingMode::Zeros,
    };
    let layer = Local::new(conv).with_rule(setup.rule.clone()).with_output(setup.output);
    Ok(layer.with_padding_mode(mode))
}

fn linear(case: &Case, setup: &Setup, device: &Device) -> Result<HebbianLinear, String> {
    let w: Tensor<2> = case.tensor("w", device)?;
    let [neurons, inputs] = w.dims();
    let mut linear = LinearConfig::new(inputs, neurons).with_bias(false).init(device);
    linear.weight = Param::from_tensor(w.transpose());
    if case.data("b").is_some() {
        linear.bias = Some(Param::from_tensor(case.tensor("b", device)?));
    }
    Ok(Local::new(linear).with_rule(setup.rule.clone()).with_output(setup.output))
}

fn check(case: &Case, name: &str, ours: TensorData) -> Result<(), String> {
    match case.data(name) {
        Some(theirs) => compare(name, ours, theirs),
        None => Ok(()),
    }
}
