//! A plain Burn layer that can learn by a local rule.

use std::{fmt::Debug, sync::Arc};

use burn::{
    module::{
        Content, Devices, DisplaySettings, Flag, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper,
        ModuleVisitor, Param,
    },
    nn::{
        Linear,
        conv::{Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d},
    },
    tensor::{DType, Device, Tensor, TensorData},
};
use burn_hebbian_core::{LocalRule, RuleError, Variance};

use super::trainable::Trainable;
use crate::{
    forms::Forms,
    geometry::{Geometry, PaddingMode},
    observe::{Call, LayerInfo, Seat, register},
    pass::{self, Output},
};

/// A convolution over one dimension that learns by a local rule, usually built by
/// [`HebbianConv1dConfig`](crate::HebbianConv1dConfig).
pub type HebbianConv1d = Local<Conv1d>;

/// A convolution that learns by a local rule, usually built by
/// [`HebbianConv2dConfig`](crate::HebbianConv2dConfig).
pub type HebbianConv2d = Local<Conv2d>;

/// A convolution over three dimensions that learns by a local rule, usually built by
/// [`HebbianConv3dConfig`](crate::HebbianConv3dConfig).
pub type HebbianConv3d = Local<Conv3d>;

/// A transposed convolution over one dimension that learns by a local rule, usually built by
/// [`HebbianConvTranspose1dConfig`](crate::HebbianConvTranspose1dConfig).
pub type HebbianConvTranspose1d = Local<ConvTranspose1d>;

/// A transposed convolution that learns by a local rule, usually built by
/// [`HebbianConvTranspose2dConfig`](crate::HebbianConvTranspose2dConfig).
pub type HebbianConvTranspose2d = Local<ConvTranspose2d>;

/// A transposed convolution over three dimensions that learns by a local rule, usually built by
/// [`HebbianConvTranspose3dConfig`](crate::HebbianConvTranspose3dConfig).
pub type HebbianConvTranspose3d = Local<ConvTranspose3d>;

/// A linear layer that learns by a local rule, usually built by
/// [`HebbianLinearConfig`](crate::HebbianLinearConfig).
pub type HebbianLinear = Local<Linear>;

/// A plain Burn layer that can learn by a local rule.
///
/// It has no path level of its own: parameters keep the paths, and records the format, of the plain layer.
/// Unobserved it computes what the plain layer does, up to rounding, unless it was given an [`Output`] or a
/// [`PaddingMode`]. It does not deref to the plain layer, so that nothing trains silently by the wrong rule.
///
/// It learns in a forward pass that an optimizer observes, through the copy of the model that the optimizer hands to
/// that pass. Neither the layer itself nor a clone of it teaches anybody; nor does a layer that is
/// [frozen](Module::freeze) or [for validation](Module::valid).
///
/// ```
/// use burn::{module::Module, nn::conv::{Conv2d, Conv2dConfig}, tensor::Device};
/// use burn_hebbian_core::Rule;
/// use burn_hebbian_nn::Local;
///
/// #[derive(Module, Debug)]
/// struct Net {
///     conv1: Local<Conv2d>,
/// }
///
/// let device = Device::flex();
/// let conv1 = Conv2dConfig::new([3, 96], [5, 5]).init(&device);
/// let net = Net { conv1: Local::new(conv1).with_rule(Rule::swta()) };
/// ```
#[derive(Clone)]
pub struct Local<L> {
    pub(crate) layer: L,
    rule: Option<Arc<dyn LocalRule>>,
    pub(super) output: Output,
    pub(crate) padding_mode: PaddingMode,
    pub(crate) forms: Forms,
    /// What the rule keeps between steps; there once a plan has bound the layer, and only if the rule keeps anything.
    state: Option<Param<Tensor<1>>>,
    /// The rule that a plan bound it to last; the state is of this one.
    learns_by: Option<Arc<dyn LocalRule>>,
    /// Whether it learns, as in Burn's own layers.
    training: Param<Flag>,
    /// The optimizer that bound it, 0 for none; clones belong to the same.
    owner: u64,
    pub(super) seat: Seat,
}

impl<L: Trainable> From<L> for Local<L> {
    /// As [`Local::new`].
    fn from(layer: L) -> Self {
        Self::new(layer)
    }
}

impl<L: Trainable> Local<L> {
    /// Wraps a layer; until it gets a rule, here or by a plan, it is the plain layer.
    pub fn new(layer: L) -> Self {
        Self {
            layer,
            rule: None,
            output: Output::default(),
            padding_mode: PaddingMode::Zeros,
            forms: Forms::default(),
            state: None,
            learns_by: None,
            training: Param::from_bool(true),
            owner: 0,
            seat: Seat::default(),
        }
    }

    /// With a rule of its own; a plan can override it.
    ///
    /// # Panics
    ///
    /// With the message of [`try_with_rule`](Self::try_with_rule).
    pub fn with_rule(self, rule: impl LocalRule + 'static) -> Self {
        self.try_with_rule(rule).unwrap_or_else(|error| panic!("local layer: {error}"))
    }

    /// With a rule of its own, or what is wrong with it.
    ///
    /// # Errors
    ///
    /// If the rule cannot train a layer of this shape.
    pub fn try_with_rule(self, rule: impl LocalRule + 'static) -> Result<Self, RuleError> {
        rule.check(&self.layer.layout())?;
        Ok(Self { rule: Some(Arc::new(rule)), ..self })
    }

    /// With another output function.
    pub fn with_output(mut self, output: Output) -> Self {
        self.output = output;
        self
    }

    /// With the forms in which it evaluates its sums, instead of those it chooses by cost.
    ///
    /// Forms are no part of records: what a layer learns is the same in all of them, up to rounding.
    pub fn with_forms(mut self, forms: Forms) -> Self {
        self.forms = forms;
        self
    }

    /// With a bias of `[groups · neurons]` that no gradient moves: rules that learn it start from there.
    ///
    /// # Panics
    ///
    /// If such layers have no bias, or it is of another length.
    pub fn with_bias(mut self, bias: Tensor<1>) -> Self {
        let (neurons, got) = (self.layer.layout().total_neurons(), bias.dims()[0]);
        assert!(got == neurons, "local layer: a bias of {got} values for {neurons} neurons");
        let place = self.layer.bias_mut().expect("local layer: layers of this kind have no bias");
        *place = Some(Param::from_tensor(bias).set_require_grad(false));
        self
    }

    /// The plain layer.
    pub fn layer(&self) -> &L {
        &self.layer
    }

    /// The plain layer, to change it; a plan that has bound it follows in the next pass.
    pub fn layer_mut(&mut self) -> &mut L {
        &mut self.layer
    }

    /// What the rule keeps between steps, if it keeps anything and a plan has bound the layer.
    pub fn rule_state(&self) -> Option<Tensor<1>> {
        self.state.as_ref().map(|state| state.val())
    }

    /// Unwraps the plain layer.
    pub fn into_inner(self) -> L {
        self.layer
    }

    /// One forward pass by an operator, with the layer's own weight and bias; in a pass that is observed, the layer learns on
    /// the way. The forward passes of Burn's layers call this, and so do those of [layers of your own](Trainable).
    ///
    /// # Panics
    ///
    /// If the shapes or types do not fit.
    pub fn forward_by<G: Geometry<X, W>, const X: usize, const W: usize>(
        &self,
        geometry: &G,
        input: Tensor<X>,
        weight: &Param<Tensor<W>>,
        bias: Option<&Param<Tensor<1>>>,
    ) -> Tensor<X> {
        let initial = self.initial_state();
        let state = self.state.as_ref().or(initial.as_ref());
        let parts = pass::Parts { weight, bias, state, output: &self.output, forms: self.forms };
        pass::forward(geometry, input, parts, &self.seat)
    }

    /// What the output reads of the state of a rule that no plan has bound yet.
    fn initial_state(&self) -> Option<Param<Tensor<1>>> {
        if self.state.is_some() || self.output.variance == Variance::Fixed {
            return None;
        }
        let rule = self.learns_by.as_ref().or(self.rule.as_ref())?;
        let initial = rule.initial_state(&self.layer.layout())?;
        Some(self.state_param(initial))
    }

    fn info(&self) -> LayerInfo {
        LayerInfo {
            weight: self.layer.weight_id(),
            layout: self.layer.layout(),
            state: self.state.as_ref().map(|state| (state.id, state.lazy_shape().num_elements())),
            rule: self.rule.clone(),
            learns_by: self.learns_by.clone(),
            training: self.training.is_enabled(),
            owner: self.owner,
        }
    }

    /// State on the weight's device, out of the reach of optimizers.
    fn state_param(&self, values: Vec<f32>) -> Param<Tensor<1>> {
        let dtype = if self.layer.weight_dtype() == DType::F64 { DType::F64 } else { DType::F32 };
        let options = (&self.layer.weight_device(), dtype);
        let tensor = Tensor::from_data(TensorData::from(values.as_slice()), options);
        Param::from_tensor(tensor).set_require_grad(false)
    }

    /// What the layer hears while it is mapped, taken to heart.
    fn called(mut self) -> Self {
        let Call { seat, owner, rule } = register(|| self.info());
        if let Some(seat) = seat {
            self.seat = seat;
        }
        self.owner = owner.unwrap_or(self.owner);
        if let Some(rule) = rule {
            self.bind(rule);
        }
        self
    }

    /// Makes room for the state of a rule; what the same rule kept before stays.
    fn bind(&mut self, rule: Arc<dyn LocalRule>) {
        let same = |known: &Arc<dyn LocalRule>| format!("{known:?}") == format!("{rule:?}");
        let stays = self.state.is_some() && self.learns_by.as_ref().is_some_and(same);
        if !stays {
            let initial = rule.initial_state(&self.layer.layout());
            self.state = initial.map(|initial| self.state_param(initial));
        }
        self.learns_by = Some(rule);
    }

    fn map_parts(
        self,
        layer: impl FnOnce(L) -> L,
        state: impl FnOnce(State) -> State,
        training: impl FnOnce(Param<Flag>) -> Param<Flag>,
    ) -> Self {
        Self { layer: layer(self.layer), state: state(self.state), training: training(self.training), ..self }
    }
}

type State = Option<Param<Tensor<1>>>;

/// The last component of the path of a rule's state.
const STATE: &str = "rule_state";

/// The last component of the path of the training flag, which groups of parameters can name.
const TRAINING: &str = "training";

const CONTAINER: &str = "Struct:Local";

impl<L: Trainable> Module for Local<L> {
    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        register(|| self.info());
        self.layer.visit(visitor);
        if let Some(state) = &self.state {
            visitor.enter_module(STATE, CONTAINER);
            state.visit(visitor);
            visitor.exit_module(STATE, CONTAINER);
        }
        visitor.enter_module(TRAINING, CONTAINER);
        self.training.visit(visitor);
        visitor.exit_module(TRAINING, CONTAINER);
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        let Self { layer, rule, output, padding_mode, forms, state, learns_by, training, owner, seat } =
            self.called();
        let layer = layer.map(mapper);
        let state = state.map(|state| {
            mapper.enter_module(STATE, CONTAINER);
            let state = Module::map(state, mapper);
            mapper.exit_module(STATE, CONTAINER);
            state
        });
        mapper.enter_module(TRAINING, CONTAINER);
        let training = Module::map(training, mapper);
        mapper.exit_module(TRAINING, CONTAINER);
        Self { layer, rule, output, padding_mode, forms, state, learns_by, training, owner, seat }
    }

    fn collect_devices(&self, devices: Devices) -> Devices {
        self.state.collect_devices(self.layer.collect_devices(devices))
    }

    fn fork(self, device: &Device) -> Self {
        self.map_parts(|layer| layer.fork(device), |state| state.fork(device), |training| training)
    }

    fn to_device(self, device: &Device) -> Self {
        self.map_parts(|layer| layer.to_device(device), |state| state.to_device(device), |training| training)
    }

    fn train(self) -> Self {
        self.map_parts(Module::train, Module::train, Module::train)
    }

    fn valid(&self) -> Self {
        self.clone().map_parts(|layer| layer.valid(), |state| state.valid(), |training| training.valid())
    }

    fn materialize(self) -> Self {
        self.map_parts(Module::materialize, Module::materialize, |training| training)
    }
}

impl<L: Trainable> ModuleDisplayDefault for Local<L> {
    fn content(&self, content: Content) -> Option<Content> {
        content
            .set_top_level_type("Local")
            .add("layer", &self.layer)
            .add_debug_attribute("rule", &self.rule)
            .add_debug_attribute("output", &self.output)
            .optional()
    }

    fn num_params(&self) -> usize {
        Module::num_params(self)
    }
}

impl<L: Trainable> ModuleDisplay for Local<L> {}

impl<L: Trainable> Debug for Local<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.format(DisplaySettings::default()))
    }
}
