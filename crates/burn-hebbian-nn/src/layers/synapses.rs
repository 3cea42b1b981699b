//! Layers whose neurons are outside of them.

use burn::{
    module::Param,
    nn::{
        Linear,
        conv::{Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d},
    },
    tensor::Tensor,
};
use burn_hebbian_core::Span;

use super::{local::Local, trainable::Trainable};
use crate::{
    geometry::{Convolution, Geometry, LinearGeometry, Transposed},
    pass,
};

/// A layer as the synapses of neurons that are outside of it: its currents, and its learning from what both sides did.
///
/// Forward pass and learning are apart, so that whatever turns currents into spikes, over time and with a state, can lie
/// between them. Every [`Local`] layer is one, of whatever geometry: `X` is the rank of its input, `[images, channels, ..]`. Time
/// is a part of the batch, see [`Span`].
///
/// ```
/// # use burn::{nn::{Initializer, LinearConfig}, tensor::{Device, Tensor}};
/// # use burn_hebbian_core::{Rule, Span};
/// use burn_hebbian_nn::{Local, Synapses};
/// # let device = Device::flex();
///
/// let ones = LinearConfig::new(2, 1).with_bias(false).with_initializer(Initializer::Ones);
/// let layer = Local::new(ones.init(&device)).with_rule(Rule::stdp(10.0, 10.0, 0.1, 0.1));
/// // two steps of one image
/// let spikes = Tensor::<2>::from_data([[1.0, 0.0], [1.0, 1.0]], &device);
/// let currents = layer.currents(spikes.clone());
/// currents.clone().into_data().assert_eq(&[[1.0], [2.0]].into(), false);
/// let fired = currents.greater_elem(1.5).float();
/// layer.learn_from(spikes, fired, Span::trains(2)); // nobody observes: nothing happens
/// ```
pub trait Synapses<const X: usize> {
    /// The layer's output, bias and output function included; unlike a forward pass it teaches nothing.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    fn currents(&self, input: Tensor<X>) -> Tensor<X>;

    /// Learns from an input and what the neurons did, in a pass that is observed; otherwise nothing happens.
    ///
    /// A pass may call it several times: sums add up. What the rule cannot learn from is refused by the observer.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    fn learn_from(&self, input: Tensor<X>, post: Tensor<X>, span: Span);
}

macro_rules! synapses {
    ($layer:ty, $rank:literal, |$local:ident, $dims:ident| $geometry:expr) => {
        impl Synapses<$rank> for Local<$layer> {
            fn currents(&self, input: Tensor<$rank>) -> Tensor<$rank> {
                let ($local, $dims) = (self, input.dims());
                let geometry = $geometry;
                self.respond_by(&geometry, input, &self.layer.weight, self.layer.bias.as_ref())
            }

            fn learn_from(&self, input: Tensor<$rank>, post: Tensor<$rank>, span: Span) {
                let ($local, $dims) = (self, input.dims());
                let geometry = $geometry;
                geometry.check_coefficients(input.dims(), post.dims());
                let bias = self.layer.bias.as_ref();
                self.learn_from_by(&geometry, [input, post], span, &self.layer.weight, bias);
            }
        }
    };
}

synapses!(Linear, 2, |local, dims| LinearGeometry::new(&local.layer, dims));
synapses!(Conv1d, 3, |local, dims| Convolution::<3>::new(&local.layer, local.padding_mode, dims));
synapses!(Conv2d, 4, |local, dims| Convolution::<4>::new(&local.layer, local.padding_mode, dims));
synapses!(Conv3d, 5, |local, dims| Convolution::<5>::new(&local.layer, local.padding_mode, dims));
synapses!(ConvTranspose1d, 3, |local, dims| Transposed::<3>::new(&local.layer, dims));
synapses!(ConvTranspose2d, 4, |local, dims| Transposed::<4>::new(&local.layer, dims));
synapses!(ConvTranspose3d, 5, |local, dims| Transposed::<5>::new(&local.layer, dims));

impl<L: Trainable> Local<L> {
    /// The output by an operator, from which nobody learns; see [`Synapses`](crate::Synapses).
    ///
    /// # Panics
    ///
    /// If the shapes or types do not fit.
    pub fn respond_by<G: Geometry<X, W>, const X: usize, const W: usize>(
        &self,
        geometry: &G,
        input: Tensor<X>,
        weight: &Param<Tensor<W>>,
        bias: Option<&Param<Tensor<1>>>,
    ) -> Tensor<X> {
        let initial = self.initial_state();
        let state = self.state.as_ref().or(initial.as_ref());
        let parts = pass::Parts { weight, bias, state, output: &self.output, forms: self.forms };
        pass::respond(geometry, input, parts, &self.seat)
    }

    /// Learns by an operator from an input and responses that are given; see [`Synapses`](crate::Synapses).
    ///
    /// # Panics
    ///
    /// If the shapes or types do not fit.
    pub fn learn_from_by<G: Geometry<X, W>, const X: usize, const W: usize>(
        &self,
        geometry: &G,
        input_and_post: [Tensor<X>; 2],
        span: Span,
        weight: &Param<Tensor<W>>,
        bias: Option<&Param<Tensor<1>>>,
    ) {
        let state = self.state.as_ref();
        let parts = pass::Parts { weight, bias, state, output: &self.output, forms: self.forms };
        pass::learn_from(geometry, input_and_post, span, parts, &self.seat);
    }
}
