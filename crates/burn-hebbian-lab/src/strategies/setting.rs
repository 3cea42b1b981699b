//! A layer, a rule and a batch, and what each strategy makes of them.

use crate::prelude::*;
use burn::{
    nn::conv::Conv2d,
    tensor::{Device, Tensor},
};
use burn_hebbian_nn::forms::{CorrelationForm, Forms, RecurrenceForm};

use super::{BenchRule, Case, Patches, Teaching, broadcast, local, of_means, per_patch, product};

/// By how much an update may differ from the library's, relative to its largest value.
const TOLERANCE: f64 = 1e-4;

/// At most so many images, with outputs of at most such height and width, are checked of the strategies that take
/// products: a sum over the 100 352 patches of VGG-11's first layer rounds to about the tolerance in any order.
const FOR_PRODUCTS: [usize; 2] = [64, 56];

/// The same of the strategies that take differences: what is timed of them on some patches is checked on all of these.
const FOR_DIFFERENCES: [usize; 2] = [2, 4];

/// A layer with random weights, a rule, and a batch of random inputs.
pub struct Setting {
    rule: BenchRule,
    case: Case,
    /// The input.
    pub x: Tensor<4>,
    /// The responses, the layer's output.
    pub dot: Tensor<4>,
    /// The weights, `[neurons, fan-in]`.
    pub w: Tensor<2>,
    /// The layer as it chooses by itself.
    pub chosen: Local<Conv2d>,
    /// The layer with Burn's weight gradient and the Gram matrix forced.
    pub gradient: Local<Conv2d>,
    /// Under which both learn by the rule they carry.
    pub plan: BoundPlan,
}

impl Setting {
    /// On the CPU, the same numbers each time.
    pub fn new(case: Case, rule: BenchRule) -> Self {
        Self::on(case, rule, &Device::flex())
    }

    /// The same numbers each time on a device.
    pub fn on(case: Case, rule: BenchRule, device: &Device) -> Self {
        device.seed(0);
        let conv = case.conv(device);
        let x = case.input(device);
        let [neurons, fan_in, _] = case.sizes();
        let w = conv.weight.val().reshape([neurons, fan_in]);
        let (chosen, plan) =
            Plan::new().bind(Local::new(conv).with_rule(rule.preset())).expect("the rule fits");
        let forms =
            Forms { correlation: Some(CorrelationForm::Gradient), recurrence: Some(RecurrenceForm::Gram) };
        let gradient = chosen.clone().with_forms(forms);
        let dot = chosen.forward(x.clone());
        Self { rule, case, x, dot, w, chosen, gradient, plan }
    }

    /// The patches of the input.
    pub fn patches(&self) -> Patches {
        Patches::new(&self.case, self.x.clone())
    }

    /// What the rule makes of the responses.
    pub fn teach(&self, patches: &Patches) -> Teaching {
        Teaching::new(self.rule, patches, self.dot.clone(), &self.w)
    }

    /// The sum of the mean image, see [`of_means`].
    pub fn of_means(&self, teaching: &Teaching) -> Tensor<2> {
        of_means(&self.case, &self.x, teaching, &self.w)
    }

    /// Compares the strategies with the library, on fewer and smaller images where there are many patches.
    ///
    /// # Errors
    ///
    /// Strategy, rule, layer and difference, if one is too large.
    pub fn check(case: Case, rule: BenchRule) -> Result<(), String> {
        let [batch, size] = FOR_PRODUCTS;
        let large = Self::new(case.reduced(batch, size), rule);
        let patches = large.patches();
        let teaching = large.teach(&patches);
        large.compare(&[
            ("product", teaching.finish(product(&patches.unfold(), &teaching, &large.w))),
            ("gradient", local::delta(&large.gradient, &large.plan, large.x.clone())),
        ])?;
        // of a batch of one, whose mean it is
        let single = Self::new(case.reduced(1, size), rule);
        let mean = single.teach(&single.patches());
        single.compare(&[("mean", mean.finish(single.of_means(&mean)))])?;
        let [batch, size] = FOR_DIFFERENCES;
        let small = Self::new(case.reduced(batch, size), rule);
        let patches = small.patches();
        let (teaching, count) = (small.teach(&patches), patches.count());
        small.compare(&[
            ("per patch", teaching.finish(per_patch(&patches, &teaching, &small.w, count))),
            ("broadcast", teaching.finish(broadcast(&patches.unfold(), &teaching, &small.w, count))),
        ])
    }

    fn compare(&self, deltas: &[(&str, Tensor<2>)]) -> Result<(), String> {
        let reference = local::delta(&self.chosen, &self.plan, self.x.clone());
        let largest = |delta: Tensor<2>| f64::from(delta.abs().max().into_scalar::<f32>());
        let scale = largest(reference.clone());
        for (strategy, delta) in deltas {
            let difference = largest(delta.clone() - reference.clone()) / scale;
            if difference.is_nan() || difference > TOLERANCE {
                let Self { rule, case, .. } = self;
                return Err(format!(
                    "{strategy}, {rule}, {case}: differs from the library by {difference:.1e} of the largest value"
                ));
            }
        }
        Ok(())
    }
}
