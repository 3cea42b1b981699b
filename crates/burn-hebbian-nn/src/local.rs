//! A plain Burn layer that can learn by a local rule.

use std::{fmt::Debug, sync::Arc};

use burn::{
    module::{
        Content, Devices, DisplaySettings, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper,
        ModuleVisitor, Param,
    },
    nn::{
        Linear,
        conv::{Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d},
    },
    tensor::{DType, Device, Tensor, TensorData},
};
use burn_hebbian_core::{
    LocalRule,
    observe::{LayerInfo, announce, provision},
};

use crate::{
    forms::Forms, geometry::Geometry, output::Output, padding::PaddingMode, step, trainable::Trainable,
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
    output: Output,
    pub(crate) padding_mode: PaddingMode,
    pub(crate) forms: Forms,
    /// What the rule keeps between steps; only if it keeps anything.
    state: Option<Param<Tensor<1>>>,
}

impl<L: Trainable> Local<L> {
    /// Wraps a layer; until it gets a rule, here or by a plan, it is the plain layer.
    pub fn new(layer: L) -> Self {
        let (output, padding_mode) = (Output::default(), PaddingMode::Zeros);
        Self { layer, rule: None, output, padding_mode, forms: Forms::default(), state: None }
    }

    /// With a rule of its own; a plan can override it.
    pub fn with_rule(mut self, rule: impl LocalRule + 'static) -> Self {
        self.state = rule.initial_state(&self.layer.layout()).map(|state| self.state_param(state));
        self.rule = Some(Arc::new(rule));
        self
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

    /// The plain layer.
    pub fn layer(&self) -> &L {
        &self.layer
    }

    /// What the rule keeps between steps, if it keeps anything.
    pub fn rule_state(&self) -> Option<Tensor<1>> {
        self.state.as_ref().map(|state| state.val())
    }

    /// Unwraps the plain layer.
    pub fn into_inner(self) -> L {
        self.layer
    }

    /// One forward pass; under an observer that selects the layer, it learns on the way.
    pub(crate) fn run<G: Geometry<X, W>, const X: usize, const W: usize>(
        &self,
        geometry: &G,
        input: Tensor<X>,
        weight: &Param<Tensor<W>>,
        bias: Option<&Param<Tensor<1>>>,
    ) -> Tensor<X> {
        let parts =
            step::Parts { weight, bias, state: self.state.as_ref(), output: &self.output, forms: self.forms };
        step::forward(geometry, input, parts)
    }

    fn info(&self) -> LayerInfo {
        LayerInfo {
            weight: self.layer.weight_id(),
            layout: self.layer.layout(),
            state: self.state.as_ref().map(|state| (state.id, state.lazy_shape().num_elements())),
            rule: self.rule.clone(),
        }
    }

    /// State on the weight's device, out of the reach of optimizers.
    fn state_param(&self, values: Vec<f32>) -> Param<Tensor<1>> {
        let tensor =
            Tensor::from_data(TensorData::from(values.as_slice()), (&self.layer.weight_device(), DType::F32));
        Param::from_tensor(tensor).set_require_grad(false)
    }

    /// With room for the state of the rule that a plan gives the layer; state of that length is kept.
    fn provisioned(mut self) -> Self {
        if let Some(initial) = provision(self.layer.weight_id()) {
            let fits = |state: &Param<Tensor<1>>| state.lazy_shape().num_elements() == initial.len();
            self.state = self.state.take().filter(fits).or_else(|| Some(self.state_param(initial)));
        }
        self
    }

    fn map_parts(self, layer: impl FnOnce(L) -> L, state: impl FnOnce(State) -> State) -> Self {
        Self { layer: layer(self.layer), state: state(self.state), ..self }
    }
}

type State = Option<Param<Tensor<1>>>;

/// The last component of the path of a rule's state.
const STATE: &str = "rule_state";

impl<L: Trainable> Module for Local<L> {
    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        announce(|| self.info());
        self.layer.visit(visitor);
        if let Some(state) = &self.state {
            visitor.enter_module(STATE, "Struct:Local");
            state.visit(visitor);
            visitor.exit_module(STATE, "Struct:Local");
        }
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        let Self { layer, rule, output, padding_mode, forms, state } = self.provisioned();
        let layer = layer.map(mapper);
        let state = state.map(|state| {
            mapper.enter_module(STATE, "Struct:Local");
            let state = Module::map(state, mapper);
            mapper.exit_module(STATE, "Struct:Local");
            state
        });
        Self { layer, rule, output, padding_mode, forms, state }
    }

    fn collect_devices(&self, devices: Devices) -> Devices {
        self.state.collect_devices(self.layer.collect_devices(devices))
    }

    fn fork(self, device: &Device) -> Self {
        self.map_parts(|layer| layer.fork(device), |state| state.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        self.map_parts(|layer| layer.to_device(device), |state| state.to_device(device))
    }

    fn train(self) -> Self {
        self.map_parts(Module::train, Module::train)
    }

    fn valid(&self) -> Self {
        self.clone().map_parts(|layer| layer.valid(), |state| state.valid())
    }

    fn materialize(self) -> Self {
        self.map_parts(Module::materialize, Module::materialize)
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
