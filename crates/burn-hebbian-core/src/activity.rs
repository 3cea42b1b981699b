//! What one layer saw in one forward pass.

use burn::tensor::Tensor;
use core::cell::OnceCell;

use crate::{
    Signals, Span, WeightLayout,
    precision::{whole, whole_type},
};

/// What a rule may ask of the layer; computed only when asked.
///
/// Implemented by geometries. None of the answers but [`respond_with`](Self::respond_with) needs a second convolution
/// with a weight.
pub trait LayerView {
    /// Where the neurons lie in the weight.
    fn layout(&self) -> WeightLayout;

    /// `‖x‖²` of every patch, `[n, groups, 1, positions]`; of a layer in half precision in `f32`.
    fn patch_energy(&self) -> Tensor<4>;

    /// The weight as `[groups, before, neurons, after]`.
    fn weight(&self) -> Tensor<4>;

    /// The bias, `[groups · neurons]`, if the layer has one.
    fn bias(&self) -> Option<Tensor<1>>;

    /// The responses with another weight in the place of the layer's, given and answered in the rule's shapes.
    ///
    /// A second convolution, for the rules that cannot do without (Krotov–Hopfield with `p ≠ 2`). Of a layer in half
    /// precision the weight comes in `f32`, and so do the responses.
    fn respond_with(&self, weight: Tensor<4>) -> Tensor<4>;
}

/// What one layer saw in one forward pass, on plain tensors outside the autodiff graph.
///
/// Every tensor has the one shape `[n, groups, neurons, positions]` (a linear layer has one position, its
/// leading dimensions folded into `n`) or broadcasts to it.
///
/// ```
/// # use burn::tensor::Device;
/// use burn_hebbian_core::{DenseView, Signals};
/// # let device = Device::flex();
///
/// let layer = DenseView::from_data([[2.0, 0.0]], [[3.0, 4.0]], &device);
/// let seen = layer.activity(Signals::none());
/// assert_eq!(seen.dot().dims(), [1, 1, 1, 1]);
/// assert_eq!(seen.dot().into_scalar::<f32>(), 6.0); // w · x
/// assert_eq!(seen.patch_energy().into_scalar::<f32>(), 25.0);
/// assert_eq!(seen.weight_energy().into_scalar::<f32>(), 4.0);
/// ```
pub struct Activity<'a> {
    dot: Tensor<4>,
    signals: Signals,
    layer: &'a dyn LayerView,
    state: Option<Tensor<1>>,
    spatial: [usize; 3],
    learns: bool,
    span: Option<Span>,
    patch_energy: OnceCell<Tensor<4>>,
    weight_energy: OnceCell<Tensor<4>>,
}

/// Energies below this count as zero. Clamp: an all-zero patch or neuron has no direction, its cosine is 0.
const MIN_ENERGY: f64 = 1e-30;

impl<'a> Activity<'a> {
    /// What `layer` saw, `dot` being its responses `w_k · x` without bias, `[n, groups, neurons, positions]`.
    ///
    /// # Panics
    ///
    /// If `dot` does not have the layout's groups and neurons.
    pub fn new(dot: Tensor<4>, signals: Signals, layer: &'a dyn LayerView) -> Self {
        let layout = layer.layout();
        let [_, groups, neurons, positions] = dot.dims();
        assert!(
            groups == layout.groups && neurons == layout.neurons,
            "activity: responses have {groups} groups of {neurons} neurons, the layer {} of {}",
            layout.groups,
            layout.neurons
        );
        let (patch_energy, weight_energy) = (OnceCell::new(), OnceCell::new());
        let spatial = [1, 1, positions];
        let (state, span, learns) = (None, None, false);
        Self { dot, signals, layer, state, spatial, learns, span, patch_energy, weight_energy }
    }

    /// The responses `w_k · x`, without bias.
    pub fn dot(&self) -> Tensor<4> {
        self.dot.clone()
    }

    /// The drive `w_k · x + b_k`, the bias being part of it if the layer has one; in `f32` if the layer runs in half precision.
    pub fn drive(&self) -> Tensor<4> {
        let (dot, layout) = (self.whole_dot(), self.layout());
        match self.bias() {
            None => dot,
            Some(bias) => {
                let bias = bias.cast(dot.dtype());
                dot + bias.reshape([1, layout.groups, layout.neurons, 1])
            }
        }
    }

    /// The responses as they are compared: in `f32` if the layer runs in half precision.
    pub(crate) fn whole_dot(&self) -> Tensor<4> {
        whole(self.dot())
    }

    /// `‖x‖²` of every patch, `[n, groups, 1, positions]`; of a layer in half precision in `f32`, as all norms.
    pub fn patch_energy(&self) -> Tensor<4> {
        self.patch_energy.get_or_init(|| whole(self.layer.patch_energy())).clone()
    }

    /// `‖w_k‖²` of every neuron, `[1, groups, neurons, 1]`.
    pub fn weight_energy(&self) -> Tensor<4> {
        let layout = self.layout();
        let energy = || layout.energy(self.layer.weight()).reshape([1, layout.groups, layout.neurons, 1]);
        self.weight_energy.get_or_init(energy).clone()
    }

    /// `1 / ‖x‖` of every patch, `[n, groups, 1, positions]`; large but finite for an all-zero patch.
    pub fn inverse_patch_norm(&self) -> Tensor<4> {
        inverse_norm(self.patch_energy())
    }

    /// `1 / ‖w_k‖` of every neuron, `[1, groups, neurons, 1]`; large but finite for an all-zero neuron.
    pub fn inverse_weight_norm(&self) -> Tensor<4> {
        inverse_norm(self.weight_energy())
    }

    /// The layer, for what only some similarities need.
    pub(crate) fn layer(&self) -> &dyn LayerView {
        self.layer
    }

    /// With the state that the layer keeps for its rule; it is read in the type that the rule sums in.
    pub fn with_state(mut self, state: Option<Tensor<1>>) -> Self {
        let dtype = whole_type(self.dot.dtype());
        self.state = state.map(|state| state.cast(dtype));
        self
    }

    /// With positions that lie in `[depth, height, width]`, row by row; without this they lie in a row.
    ///
    /// # Panics
    ///
    /// If there are not as many positions as that.
    pub fn with_spatial(mut self, spatial: [usize; 3]) -> Self {
        let positions = self.dot.dims()[3];
        assert!(
            spatial.iter().product::<usize>() == positions,
            "activity: {positions} positions do not lie in {spatial:?}"
        );
        self.spatial = spatial;
        self
    }

    /// With responses that are given from outside, spikes of neurons over time.
    pub fn with_span(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// How images lie in time, if the responses are spikes that were given from outside.
    pub fn span(&self) -> Option<Span> {
        self.span
    }

    /// As the layer sees it while it learns.
    pub fn learning(mut self) -> Self {
        self.learns = true;
        self
    }

    /// Whether the layer learns in this pass.
    pub fn learns(&self) -> bool {
        self.learns
    }

    /// How positions lie in space: `[depth, height, width]`.
    pub fn spatial(&self) -> [usize; 3] {
        self.spatial
    }

    /// The layer's bias, `[groups · neurons]`, if it has one.
    pub fn bias(&self) -> Option<Tensor<1>> {
        self.layer.bias()
    }

    /// Third factor and [apical signal](Signals::with_apical), multiplied if there are both, as they broadcast over
    /// `[n, groups, neurons, positions]`; in the type that the rule sums in.
    ///
    /// # Panics
    ///
    /// If its shape does not fit the layer.
    pub fn third_factor(&self) -> Option<Tensor<4>> {
        let factor = self.signals.expand_modulation(&self.layout(), self.dot.dims()[0])?;
        Some(factor.cast(whole_type(self.dot.dtype())))
    }

    /// The state that the layer keeps for its rule, if it keeps any.
    pub fn state_if_any(&self) -> Option<Tensor<1>> {
        self.state.clone()
    }

    /// The state that the layer keeps for its rule.
    ///
    /// # Panics
    ///
    /// If it keeps none; a rule that asks for one has an [`initial_state`](crate::LocalRule::initial_state).
    pub fn state(&self) -> Tensor<1> {
        self.state
            .clone()
            .expect("a rule with state finds it beside its layer's weight; was the plan applied?")
    }

    /// The signals from outside the forward pass.
    pub fn signals(&self) -> &Signals {
        &self.signals
    }

    /// Where the neurons lie in the weight.
    pub fn layout(&self) -> WeightLayout {
        self.layer.layout()
    }
}

fn inverse_norm(energy: Tensor<4>) -> Tensor<4> {
    energy.clamp_min(MIN_ENERGY).sqrt().recip()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device, Tensor};

    use super::{LayerView, whole_type};
    use crate::*;

    const LAYOUT: WeightLayout = WeightLayout { groups: 1, before: 1, neurons: 2, after: 4 };

    /// Patches and weights of one number each, over a fan-in of four.
    struct Uniform {
        x: f32,
        w: f32,
        dtype: DType,
    }

    impl Uniform {
        fn full(&self, dims: [usize; 4], value: f32) -> Tensor<4> {
            Tensor::full(dims, value, (&Device::flex(), self.dtype))
        }

        fn activity(&self) -> Activity<'_> {
            Activity::new(self.full([3, 1, 2, 5], 4.0 * self.x * self.w), Signals::none(), self)
        }
    }

    impl LayerView for Uniform {
        fn layout(&self) -> WeightLayout {
            LAYOUT
        }

        fn patch_energy(&self) -> Tensor<4> {
            let dtype = whole_type(self.dtype);
            Tensor::full([3, 1, 1, 5], 4.0 * self.x * self.x, (&Device::flex(), dtype))
        }

        fn weight(&self) -> Tensor<4> {
            self.full(LAYOUT.dims(), self.w)
        }

        fn bias(&self) -> Option<Tensor<1>> {
            None
        }

        fn respond_with(&self, weight: Tensor<4>) -> Tensor<4> {
            weight.sum_dims(&[1, 3]).reshape([1, 1, 2, 1]).expand([3, 1, 2, 5]).mul_scalar(self.x)
        }
    }

    fn values(tensor: Tensor<4>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    #[test]
    fn similarities_of_half_precision_are_those_of_energies_beyond_it() {
        for dtype in [DType::F16, DType::BF16] {
            for (x, w) in [(300.0, 0.5), (0.5, 300.0), (1e-3, 0.5), (0.5, 1e-3)] {
                let layer = Uniform { x, w, dtype };
                let seen = layer.activity();
                for (similarity, expected) in [
                    (Similarity::Cosine, 1.0),
                    (Similarity::RaisedCosine { power: 3.0 }, 1.0),
                    (Similarity::Projection, 2.0 * x),
                    (Similarity::Lebesgue { p: 3.0 }, 4.0 * x * w * w),
                ] {
                    let s = seen.similarity(&similarity);
                    assert_eq!(s.dtype(), dtype);
                    let half_overflows = dtype == DType::F16 && !(1e-4..6e4).contains(&expected);
                    for s in values(s) {
                        assert!(
                            half_overflows || (s / expected - 1.0).abs() < 0.02,
                            "{similarity:?} of {x} and {w} in {dtype:?}: {s} for {expected}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn blank_patches_and_neurons_of_half_precision_have_cosine_0() {
        for dtype in [DType::F16, DType::BF16, DType::F32, DType::F64] {
            for (x, w) in [(0.0, 0.5), (0.5, 0.0), (0.0, 0.0)] {
                let layer = Uniform { x, w, dtype };
                let s = values(layer.activity().similarity(&Similarity::Cosine));
                assert!(s.iter().all(|s| *s == 0.0), "{x} and {w} in {dtype:?}: {s:?}");
            }
        }
    }

    /// Whatever a layer runs in; state is read in the type of the sums.
    #[test]
    fn sums_are_in_single_precision_at_least() {
        let rules =
            [Rule::swta(), Rule::hpca_adaptive(), Rule::bcm(), Rule::abstaining_wta(1), Rule::foldiak(0.3)];
        for (dtype, sums) in [
            (DType::F16, DType::F32),
            (DType::BF16, DType::F32),
            (DType::F32, DType::F32),
            (DType::F64, DType::F64),
        ] {
            for rule in &rules {
                let layer = Uniform { x: 1.0, w: 0.5, dtype };
                let state = rule.initial_state(&LAYOUT).unwrap_or_default();
                let state = Tensor::<1>::from_data(state.as_slice(), &Device::flex());
                let factors = rule.factors(&layer.activity().with_state(Some(state.clone())));
                let types = [factors.decay.map(|sum| sum.dtype()), factors.mass.map(|sum| sum.dtype())];
                assert!(types.into_iter().flatten().all(|dtype| dtype == sums), "{rule:?} in {dtype:?}");
                if let Some(statistics) = factors.statistics {
                    assert_eq!(statistics.dtype(), sums, "{rule:?} in {dtype:?}");
                    let next = rule.next_state(state.cast(sums), Some(statistics), &LAYOUT);
                    assert_eq!(next.dtype(), sums, "{rule:?} in {dtype:?}");
                }
            }
        }
    }
}
