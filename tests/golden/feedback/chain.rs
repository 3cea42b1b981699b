//! The net of a case as a user's model: local layers in a chain.

use burn::{
    module::{Module, Param},
    nn::{LinearConfig, PaddingConfig2d, conv::Conv2dConfig},
    optim::{GradientsParams, SgdConfig},
    tensor::{DType, Device, Tensor},
};
use burn_hebbian::{
    feedback::{Chain, FeedbackError, Pool},
    nn::{Bidirectional, PaddingMode},
    optim::Updates,
    prelude::*,
    rules::Activation,
};

use super::{
    case::Case,
    compare::Comparison,
    hyper::{Edge, NetHyper, activation},
};

/// A layer of a case.
#[derive(Module, Debug)]
pub(super) enum Layer {
    Dense(HebbianLinear),
    Convolution(HebbianConv2d),
}

impl Layer {
    /// The layer with weight and bias of these names.
    pub(super) fn of(
        case: &Case,
        edge: &Edge,
        [weight, bias]: [&str; 2],
        mode: PaddingMode,
        dtype: DType,
    ) -> Result<Self, String> {
        let device = Device::flex();
        let bias = match case.data(bias) {
            Some(_) => Some(Param::from_tensor(case.tensor::<1>(bias, dtype)?)),
            None => None,
        };
        match edge.kind.as_str() {
            "dense" => {
                let w: Tensor<2> = case.tensor(weight, dtype)?;
                let [neurons, inputs] = w.dims();
                let mut linear = LinearConfig::new(inputs, neurons).with_bias(false).init(&device);
                (linear.weight, linear.bias) = (Param::from_tensor(w.transpose()), bias);
                Ok(Self::Dense(Local::new(linear)))
            }
            "conv" => {
                let w: Tensor<4> = case.tensor(weight, dtype)?;
                let [neurons, channels, ..] = w.dims();
                let groups = edge.groups.unwrap_or(1);
                let [rows, columns] = edge.padding.unwrap_or([0, 0]);
                let kernel = edge.kernel.ok_or("a convolution without a kernel")?;
                let mut conv = Conv2dConfig::new([channels * groups, neurons], kernel)
                    .with_bias(false)
                    .with_stride(edge.stride.unwrap_or([1, 1]))
                    .with_padding(PaddingConfig2d::Explicit(rows, columns, rows, columns))
                    .with_dilation(edge.dilation.unwrap_or([1, 1]))
                    .with_groups(groups)
                    .init(&device);
                (conv.weight, conv.bias) = (Param::from_tensor(w), bias);
                Ok(Self::Convolution(Local::new(conv).with_padding_mode(mode)))
            }
            other => Err(format!("no edge `{other}`")),
        }
    }

    pub(super) fn synapses(&self) -> &dyn Bidirectional {
        match self {
            Self::Dense(layer) => layer,
            Self::Convolution(layer) => layer,
        }
    }

    pub(super) fn bias(&self) -> Option<&Param<Tensor<1>>> {
        match self {
            Self::Dense(layer) => layer.layer().bias.as_ref(),
            Self::Convolution(layer) => layer.layer().bias.as_ref(),
        }
    }

    /// Compares update and bias update, ascent.
    pub(super) fn check(
        &self,
        name: &str,
        bias: Option<&str>,
        grads: &GradientsParams,
        comparison: &mut Comparison,
    ) -> Result<(), String> {
        let missing = || format!("no update for `{name}`");
        match self {
            Self::Dense(layer) => {
                let update = grads.get::<2>(layer.layer().weight.id).ok_or_else(missing)?;
                comparison.check(name, update.neg().transpose());
            }
            Self::Convolution(layer) => {
                let update = grads.get::<4>(layer.layer().weight.id).ok_or_else(missing)?;
                comparison.check(name, update.neg());
            }
        }
        if let (Some(name), Some(own)) = (bias, self.bias()) {
            let update = grads.get::<1>(own.id).ok_or_else(|| format!("no update for `{name}`"))?;
            comparison.check(name, update.neg());
        }
        Ok(())
    }

    fn check_weights(&self, name: &str, bias: &str, comparison: &mut Comparison) {
        match self {
            Self::Dense(layer) => comparison.check(name, layer.layer().weight.val().transpose()),
            Self::Convolution(layer) => comparison.check(name, layer.layer().weight.val()),
        }
        if let Some(own) = self.bias() {
            comparison.check(bias, own.val());
        }
    }
}

/// The model of a case.
#[derive(Module, Debug)]
pub(super) struct Model {
    layers: Vec<Layer>,
}

/// How the layers of a model hang together.
pub(super) struct Plans {
    input: Vec<usize>,
    pools: Vec<Pool>,
    reads_out: bool,
    activation: Activation,
    output: Activation,
}

impl Plans {
    pub(super) fn of(hyper: &NetHyper) -> Result<Self, String> {
        let reads_out = hyper.reads_out();
        let output = if reads_out { Activation::Linear } else { activation(&hyper.output_activation)? };
        Ok(Self {
            input: hyper.layers.first().ok_or("no layers")?.clone(),
            pools: hyper.edges.iter().map(Edge::pool).collect::<Result<_, _>>()?,
            reads_out,
            activation: activation(&hyper.activation)?,
            output,
        })
    }

    pub(super) fn chain<'m>(&self, model: &'m Model) -> Chain<'m> {
        let last = model.layers.len() - 1;
        let mut chain = Chain::new(self.input.clone());
        for (number, (layer, pool)) in model.layers.iter().zip(&self.pools).enumerate() {
            chain = match self.reads_out && number == last {
                true => chain.read_out(layer.synapses()),
                false => chain.pooled(layer.synapses(), *pool),
            };
        }
        chain.with_activation(self.activation).with_output(self.output)
    }
}

/// A model with the optimizer that trains it from given states.
pub(super) struct Subject {
    pub(super) model: Model,
    pub(super) optim: LocalOptimizer,
}

impl Subject {
    pub(super) fn of(case: &Case, hyper: &NetHyper, comparison: &Comparison) -> Result<Self, String> {
        let layer = |(number, edge): (usize, &Edge)| {
            let names = ["w", "b"].map(|kind| format!("{kind}{}", number + 1));
            names.iter().for_each(|name| comparison.given(name));
            Layer::of(case, edge, [&names[0], &names[1]], PaddingMode::Zeros, comparison.dtype)
        };
        let layers = hyper.edges.iter().enumerate().map(layer).collect::<Result<_, _>>()?;
        let plan = Plan::new().local(".*", LocalTraining::from_given_states());
        let (model, optim) =
            plan.init(Model { layers }, SgdConfig::new()).map_err(|error| error.to_string())?;
        Ok(Self { model, optim })
    }

    /// Compares the updates of a pass, ascent; names are a prefix and the layer's number.
    pub(super) fn check_updates(
        &self,
        case: &Case,
        [weights, biases]: [&str; 2],
        updates: Updates,
        comparison: &mut Comparison,
    ) -> Result<(), String> {
        let finished = self.optim.plan().finish(self.model.clone(), updates.partial());
        let (model, grads) = finished.map_err(|error| error.to_string())?;
        for (number, layer) in model.layers.iter().enumerate() {
            let [weight, bias] = [weights, biases].map(|prefix| format!("{prefix}{}", number + 1));
            // some cases leave out biases, and what a read-out learns in one phase
            let bias = case.data(&bias).map(|_| bias.as_str());
            if case.data(&weight).is_some() {
                layer.check(&weight, bias, &grads, comparison)?;
            }
        }
        Ok(())
    }

    /// Compares the weights themselves.
    pub(super) fn check_weights(&self, prefix: &str, comparison: &mut Comparison) {
        for (number, layer) in self.model.layers.iter().enumerate() {
            let [weight, bias] = ["w", "b"].map(|kind| format!("{prefix}{kind}{}", number + 1));
            layer.check_weights(&weight, &bias, comparison);
        }
    }
}

pub(super) fn message(error: FeedbackError) -> String {
    error.to_string()
}
