//! Layers in a chain, with pooling and activations between them.

mod net;

use burn::tensor::Tensor;
use burn_hebbian_core::Activation;
use burn_hebbian_nn::Bidirectional;

pub(crate) use net::{Drive, Net};

use crate::{FeedbackError, Pool, States};

/// Local layers in a chain of states, built anew for every pass from the model at hand: it borrows the layers.
///
/// ```text
/// s_l = f( P_l(W_l s_{l−1}) + b_l + γ W_{l+1}ᵀ U_{l+1}(s_{l+1}) + … )        s_0 = x
/// ```
///
/// `P` pools between a layer's drive and the state above it, `U` is its transpose. Activations belong to the chain: hidden layers
/// have a hard sigmoid of slope 1 and the output is linear, unless something else is said. A linear layer takes states of any
/// shape, flattened.
///
/// ```
/// # use burn::{nn::{LinearConfig, conv::Conv2dConfig}, tensor::Device};
/// # use burn_hebbian_nn::Local;
/// use burn_hebbian_feedback::{Chain, Pool};
/// # let device = Device::flex();
///
/// let conv = Local::new(Conv2dConfig::new([1, 8], [3, 3]).init(&device));
/// let fc = Local::new(LinearConfig::new(8 * 3 * 3, 10).init(&device));
/// let chain = Chain::new([1, 8, 8]).pooled(&conv, Pool::max(2)).layer(&fc);
/// assert_eq!(chain.shapes().unwrap(), [vec![1, 8, 8], vec![8, 3, 3], vec![10]]);
///
/// let error = Chain::new([1, 9, 9]).layer(&conv).layer(&fc).shapes().unwrap_err();
/// assert_eq!(error.to_string(), "chain: edge 2: linear: expected [.., 72], got [1, 392]");
/// ```
#[derive(Clone)]
pub struct Chain<'a> {
    input: Vec<usize>,
    edges: Vec<Edge<'a>>,
    readout: Option<&'a dyn Bidirectional>,
    activation: Activation,
    output: Activation,
}

#[derive(Clone, Copy)]
struct Edge<'a> {
    layer: &'a dyn Bidirectional,
    pool: Pool,
}

impl<'a> Chain<'a> {
    /// On inputs of this shape: `[channels, positions…]`, or `[elements]`.
    pub fn new(input: impl Into<Vec<usize>>) -> Self {
        let (activation, output) = (Activation::HardSigmoid { slope: 1.0 }, Activation::Linear);
        Self { input: input.into(), edges: Vec::new(), readout: None, activation, output }
    }

    /// With one more layer on top.
    pub fn layer(self, layer: &'a dyn Bidirectional) -> Self {
        self.pooled(layer, Pool::None)
    }

    /// With one more layer on top, whose drive is pooled.
    pub fn pooled(mut self, layer: &'a dyn Bidirectional, pool: Pool) -> Self {
        self.edges.push(Edge { layer, pool });
        self
    }

    /// With a read-out outside the system: it has no state, hears no feedback and answers with its drive. Nudging reaches the
    /// last hidden layer through its transpose.
    pub fn read_out(self, layer: &'a dyn Bidirectional) -> Self {
        Self { readout: Some(layer), ..self }
    }

    /// With another activation of hidden layers.
    pub fn with_activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// With another activation of the output.
    pub fn with_output(self, output: Activation) -> Self {
        Self { output, ..self }
    }

    /// The shapes of `s_0 = x` to `s_L`, of one image.
    ///
    /// # Errors
    ///
    /// If shapes do not meet.
    pub fn shapes(&self) -> Result<Vec<Vec<usize>>, FeedbackError> {
        Ok(Net::of(self)?.shapes())
    }

    /// States to begin with, from tensors `[n, channels, positions…]` of any rank, flat: `[n, elements]`.
    ///
    /// # Errors
    ///
    /// If they are not those of the chain.
    pub fn states(&self, values: Vec<Tensor<2>>) -> Result<States, FeedbackError> {
        Net::of(self)?.states(values)
    }

    /// The energy of every image, `[n]`: `− Σ_l ⟨P_l(W_l s_{l−1}) + b_l, s_l⟩`. Half the squared norms of the states, and the
    /// cost times the nudging, come on top in what alternating sweeps descend; see [`total_energy`](Self::total_energy).
    ///
    /// # Errors
    ///
    /// If inputs or states are not those of the chain.
    pub fn energy<const D: usize>(&self, x: Tensor<D>, states: &States) -> Result<Tensor<1>, FeedbackError> {
        let net = Net::of(self)?;
        let x = net.input(x)?;
        net.check_states(states.values(), x.dims()[0])?;
        Ok(net.energy(&x, states.values()))
    }

    /// [`energy`](Self::energy) with half the squared norms of the states: what alternating sweeps of hard sigmoids of slope 1 and
    /// a linear, free output never raise where pooling is by average.
    ///
    /// # Errors
    ///
    /// As [`energy`](Self::energy).
    pub fn total_energy<const D: usize>(
        &self,
        x: Tensor<D>,
        states: &States,
    ) -> Result<Tensor<1>, FeedbackError> {
        let mut energy = self.energy(x, states)?;
        for state in states.values() {
            let squares: Tensor<1> = (state.clone() * state.clone()).sum_dim(1).squeeze_dim(1);
            energy = energy + squares.div_scalar(2.0);
        }
        Ok(energy)
    }

    /// What the chain answers in these states: the state of its output, or the drive of its read-out.
    ///
    /// # Errors
    ///
    /// If they are not those of the chain.
    pub fn answer(&self, states: &States) -> Result<Tensor<2>, FeedbackError> {
        let net = Net::of(self)?;
        net.check_states(states.values(), states.flat(1).dims()[0])?;
        Ok(net.answer(states.values()))
    }
}

impl std::fmt::Debug for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let layers: Vec<_> = self.edges.iter().map(|edge| (edge.layer.name(), edge.pool)).collect();
        let readout = self.readout.map(|layer| layer.name());
        f.debug_struct("Chain")
            .field("input", &self.input)
            .field("layers", &layers)
            .field("readout", &readout)
            .field("activation", &self.activation)
            .field("output", &self.output)
            .finish()
    }
}
