//! Ways to a layer's SWTA update: per patch, over unfolded patches, by every form of the correlation, and by the one that
//! the layer chooses. Each is a whole step, forward pass included, up to the gradient that the optimizer takes.

use burn::tensor::{
    DType, Tensor,
    activation::softmax,
    module::conv2d,
    ops::{ConvOptions, PadMode},
};
use burn_hebbian::{
    nn::forms::{CorrelationForm, Forms},
    prelude::*,
};

use super::{
    Bench, CHECK_EVERY, Cast,
    ceiling::Ceiling,
    multiplications,
    report::{Entry, head, ms, percent, row, sizes, times},
};
use crate::grid::{CASES, Case, FORMS};

/// Temperature of SWTA, as in the preset.
const TEMPERATURE: f64 = 0.02;

/// Numbers laid out at a time, of differences or of patches: 1 GiB.
const AT_ONCE: usize = 1 << 28;

/// Nets whose layers are measured, and images a step.
const NETS: [(&str, usize); 3] = [("six-layer", 64), ("SoftHebb", 128), ("VGG-11", 32)];

/// Measures and prints every strategy on the layers of three nets.
pub fn measure(bench: &Bench, ceiling: &Ceiling) {
    let forms = FORMS.map(|form| format!("{form:?}"));
    let columns = ["forward + SWTA, ms", "layers", "per patch", "unfolded"].into_iter();
    let columns = columns.chain(forms.iter().map(String::as_str));
    head(&columns.chain(["chosen", "form", "per patch / chosen", "of the ceiling"]).collect::<Vec<_>>());
    for (net, batch) in NETS {
        let layers = CASES.iter().filter(|case| case.net == net && case.batch > 1);
        for case in layers.map(|case| bench.sized(case, batch)) {
            layer(bench, ceiling, &case);
        }
    }
}

fn layer(bench: &Bench, ceiling: &Ceiling, case: &Case) {
    for &dtype in bench.dtypes.iter().filter(|_| bench.takes(&case.to_string())) {
        let step = Step { bench, case, dtype };
        // learning is in f32 whatever the layer is: what layers in half precision change is told by one column
        let whole = dtype == DType::F32;
        let by_hand = |what, update: fn(&Patches) -> Tensor<2>| whole.then(|| step.by_hand(what, update))?;
        let per_patch = by_hand("per patch", Patches::one_by_one);
        let unfolded = by_hand("unfolded", Patches::as_matrix);
        let forms = FORMS.map(|form| whole.then(|| step.by_layer(Some(form)))?);
        let chosen = step.by_layer(None);
        let form = Local::new(case.conv(&bench.device)).correlation_form(case.input_dims());
        let mut cells = vec![case.to_string(), dtype.name().into(), ms(per_patch), ms(unfolded)];
        cells.extend(forms.map(ms));
        let share = ceiling.share(dtype, multiplications(case), chosen).filter(|_| bench.full);
        let ratio = times(per_patch, chosen);
        cells.extend([ms(chosen), format!("{form:?}"), ratio, percent(share)]);
        row(&cells);
    }
}

/// A step of one layer.
struct Step<'a> {
    bench: &'a Bench,
    case: &'a Case,
    dtype: DType,
}

impl Step<'_> {
    /// By the library, in a form or in the one that the layer chooses.
    fn by_layer(&self, form: Option<CorrelationForm>) -> Option<f64> {
        let forms = Forms { correlation: form, ..Forms::default() };
        let layer = Local::new(self.case.conv(&self.bench.device)).with_forms(forms).with_rule(Rule::swta());
        let layer = Cast::cast(self.dtype, layer);
        let plan = Plan::new().with_finite_check_every(CHECK_EVERY);
        let (layer, plan) = plan.bind(layer).expect("the rule fits");
        let x = self.input();
        let seconds = self.bench.timer.seconds(|| {
            let observed = plan.observe(&layer, Signals::none(), |layer| layer.forward(x.clone()));
            let (_, seen) = observed.expect("the layer is bound");
            plan.finish(layer.clone(), seen.local_only()).expect("finite").1
        });
        let what = form.map_or("chosen".into(), |form| format!("{form:?}"));
        self.note(&what, form.is_none(), seconds)
    }

    /// Forward pass, and an update written by hand.
    fn by_hand(&self, what: &str, update: fn(&Patches) -> Tensor<2>) -> Option<f64> {
        let x = self.input();
        let weight = self.case.conv(&self.bench.device).weight.val();
        let patches = Patches { case: *self.case, x: x.clone(), weight: weight.clone() };
        let Case { stride, padding, groups, .. } = *self.case;
        let options = ConvOptions::new([stride; 2], [padding; 2], [1; 2], groups);
        let seconds = self.bench.timer.seconds(|| {
            // dropped: kept outputs would fill the memory; a convolution is computed whoever holds it
            drop(conv2d(x.clone(), weight.clone(), None, options.clone()));
            update(&patches)
        });
        self.note(what, false, seconds)
    }

    fn input(&self) -> Tensor<4> {
        self.bench.normal(self.case.input_dims(), self.dtype)
    }

    fn note(&self, what: &str, chosen: bool, seconds: Option<f64>) -> Option<f64> {
        let (case, flop) = (sizes(self.case), 4.0 * multiplications(self.case));
        self.bench.csv.add(Entry {
            part: "strategies",
            case: &case,
            what,
            dtype: self.dtype,
            chosen,
            seconds,
            flop,
        });
        seconds
    }
}

/// What an update written by hand starts from.
struct Patches {
    case: Case,
    x: Tensor<4>,
    weight: Tensor<4>,
}

impl Patches {
    /// One difference `x − w` for each patch and neuron, as many as fit at a time.
    fn one_by_one(&self) -> Tensor<2> {
        let w = self.neurons();
        let [neurons, fan_in] = w.dims();
        let at_once = (AT_ONCE / (neurons * fan_in)).max(1);
        let (mut numerator, mut mass) = (w.zeros_like(), Tensor::zeros([neurons, 1], &w.device()));
        for images in self.chunks() {
            let patches = self.unfold(images);
            let [count, _] = patches.dims();
            for start in (0..count).step_by(at_once) {
                let patches = patches.clone().narrow(0, start, at_once.min(count - start));
                let z = winners(patches.clone(), w.clone());
                mass = mass + z.clone().sum_dim(0).transpose();
                let difference = patches.unsqueeze_dim::<3>(1) - w.clone().unsqueeze_dim(0); // [patches, k, fan-in]
                let coefficients: Tensor<3> = (z.clone() * z).unsqueeze_dim(2);
                numerator = numerator + (coefficients * difference).sum_dim(0).squeeze_dim::<2>(0);
            }
        }
        numerator / mass.clamp_min(f32::MIN_POSITIVE)
    }

    /// FastHebb: the sum over patches as a product, the decay apart.
    fn as_matrix(&self) -> Tensor<2> {
        let w = self.neurons();
        let [neurons, _] = w.dims();
        let zero = Tensor::zeros([neurons, 1], &w.device());
        let (mut numerator, mut decay, mut mass) = (w.zeros_like(), zero.clone(), zero);
        for images in self.chunks() {
            let patches = self.unfold(images);
            let z = winners(patches.clone(), w.clone()).transpose(); // [k, patches]
            let coefficients = z.clone() * z.clone();
            mass = mass + z.sum_dim(1);
            decay = decay + coefficients.clone().sum_dim(1);
            numerator = numerator + coefficients.matmul(patches);
        }
        (numerator - decay * w) / mass.clamp_min(f32::MIN_POSITIVE)
    }

    /// `[neurons, fan-in]`.
    fn neurons(&self) -> Tensor<2> {
        self.weight.clone().flatten(1, 3)
    }

    /// First image and number of images whose patches are laid out at a time.
    fn chunks(&self) -> impl Iterator<Item = [usize; 2]> {
        let [neurons, fan_in] = self.neurons().dims();
        let positions = multiplications(&self.case) as usize / (self.case.batch * neurons * fan_in);
        let (batch, at_once) = (self.case.batch, (AT_ONCE / (positions * fan_in)).max(1));
        (0..batch).step_by(at_once).map(move |start| [start, at_once.min(batch - start)])
    }

    /// `[images · positions, fan-in]`.
    fn unfold(&self, [start, count]: [usize; 2]) -> Tensor<2> {
        let Case { kernel, stride, padding, .. } = self.case;
        let x = self.x.clone().narrow(0, start, count);
        let x = x.pad([(padding, padding); 2], PadMode::Constant(0.0));
        let x: Tensor<5> = x.unfold(2, kernel, stride);
        let x: Tensor<6> = x.unfold(3, kernel, stride); // [images, channels, rows, columns, kernel, kernel]
        let [images, channels, rows, columns, ..] = x.dims();
        x.permute([0, 2, 3, 1, 4, 5]).reshape([images * rows * columns, channels * kernel * kernel])
    }
}

/// The share of each neuron in each patch, `[patches, neurons]`.
fn winners(patches: Tensor<2>, w: Tensor<2>) -> Tensor<2> {
    softmax(raised_cosine(patches, w).div_scalar(TEMPERATURE), 1)
}

/// `((cos + 1) / 2)²` of every patch with every neuron.
fn raised_cosine(patches: Tensor<2>, w: Tensor<2>) -> Tensor<2> {
    let norm = |rows: Tensor<2>| rows.powi_scalar(2).sum_dim(1).clamp_min(1e-30).sqrt();
    let cosine = patches.clone().matmul(w.clone().transpose()) / norm(patches) / norm(w).transpose();
    cosine.add_scalar(1.0).div_scalar(2.0).powi_scalar(2)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tolerance};

    use super::*;

    #[test]
    fn both_updates_by_hand_are_the_layers() {
        let device = Device::flex();
        let case = Case {
            net: "",
            batch: 3,
            channels: [2, 5],
            kernel: 3,
            stride: 2,
            padding: 1,
            groups: 1,
            size: 7,
        };
        let (conv, x) = (case.conv(&device), case.input(&device));
        let patches = Patches { case, x: x.clone(), weight: conv.weight.val() };
        let bound = Plan::new().bind(Local::new(conv).with_rule(Rule::swta()));
        let (layer, plan) = bound.expect("the rule fits");
        let observed = plan.observe(&layer, Signals::none(), |layer| layer.forward(x));
        let (_, seen) = observed.expect("the layer is bound");
        let (layer, grads) = plan.finish(layer, seen.local_only()).expect("finite");
        let gradient: Tensor<2> = grads.get::<4>(layer.layer().weight.id).expect("learned").flatten(1, 3);
        let expected = gradient.neg().into_data();
        for update in [patches.one_by_one(), patches.as_matrix()] {
            update
                .into_data()
                .assert_approx_eq::<f32>(&expected, Tolerance::relative(1e-3).set_absolute(1e-5));
        }
    }
}
