//! What one layer saw in one forward pass.

use burn::tensor::Tensor;
use core::cell::OnceCell;

use crate::{Signals, Similarity, WeightLayout};

/// What a rule may ask of the layer; computed only when asked.
///
/// Implemented by geometries. None of the answers but [`respond_with`](Self::respond_with) needs a second convolution
/// with a weight.
pub trait LayerView {
    /// Where the neurons lie in the weight.
    fn layout(&self) -> WeightLayout;

    /// `‖x‖²` of every patch, `[n, groups, 1, positions]`.
    fn patch_energy(&self) -> Tensor<4>;

    /// The weight as `[groups, before, neurons, after]`.
    fn weight(&self) -> Tensor<4>;

    /// The bias, `[groups · neurons]`, if the layer has one.
    fn bias(&self) -> Option<Tensor<1>>;

    /// The responses with another weight in the place of the layer's, given and answered in the rule's shapes.
    ///
    /// A second convolution, for the rules that cannot do without (Krotov–Hopfield with `p ≠ 2`).
    fn respond_with(&self, weight: Tensor<4>) -> Tensor<4>;
}

/// What one layer saw in one forward pass, on plain tensors outside the autodiff graph.
///
/// Every tensor has the one shape `[n, groups, neurons, positions]` (a linear layer has one position, its
/// leading dimensions folded into `n`) or broadcasts to it.
pub struct Activity<'a> {
    dot: Tensor<4>,
    signals: Signals,
    layer: &'a dyn LayerView,
    state: Option<Tensor<1>>,
    spatial: [usize; 3],
    learns: bool,
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
        Self { dot, signals, layer, state: None, spatial, learns: false, patch_energy, weight_energy }
    }

    /// The responses `w_k · x`, without bias.
    pub fn dot(&self) -> Tensor<4> {
        self.dot.clone()
    }

    /// The responses as another [`Similarity`]; elementwise on [`dot`](Self::dot) and the norms.
    pub fn similarity(&self, similarity: &Similarity) -> Tensor<4> {
        similarity.of(self)
    }

    /// `‖x‖²` of every patch, `[n, groups, 1, positions]`.
    pub fn patch_energy(&self) -> Tensor<4> {
        self.patch_energy.get_or_init(|| self.layer.patch_energy()).clone()
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

    /// With the state that the layer keeps for its rule.
    pub fn with_state(mut self, state: Option<Tensor<1>>) -> Self {
        self.state = state;
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

    /// The third factor as it broadcasts over `[n, groups, neurons, positions]`, if there is one.
    ///
    /// # Panics
    ///
    /// If its shape does not fit the layer.
    pub fn third_factor(&self) -> Option<Tensor<4>> {
        let factor = self.signals.expand_third_factor(&self.layout(), self.dot.dims()[0])?;
        Some(factor.cast(self.dot.dtype()))
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
