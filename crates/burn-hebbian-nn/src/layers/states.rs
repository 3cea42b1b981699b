//! Layers between given states: drive, feedback, and learning from both sides.

use burn::{
    module::Param,
    nn::{
        Linear,
        conv::{Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d},
    },
    tensor::Tensor,
};

use super::{local::Local, trainable::Trainable};
use crate::{
    StatePair,
    geometry::{Convolution, Geometry, LinearGeometry, Transposed},
    pass::{self, Side},
};

impl<L: Trainable> Local<L> {
    /// The transpose of the layer by an operator, as [`forward_by`](Self::forward_by) is its forward pass; the `feedback` of
    /// Burn's layers calls this.
    ///
    /// # Panics
    ///
    /// If the shapes or types do not fit.
    pub fn feedback_by<G: Geometry<X, W>, const X: usize, const W: usize>(
        &self,
        geometry: &G,
        y: Tensor<X>,
        weight: &Param<Tensor<W>>,
        input: [usize; X],
    ) -> Tensor<X> {
        pass::feedback(geometry, y, weight, input)
    }

    /// The drive `W x + b` by an operator; the `drive` of Burn's layers calls this.
    ///
    /// # Panics
    ///
    /// If the shapes or types do not fit.
    pub fn drive_by<G: Geometry<X, W>, const X: usize, const W: usize>(
        &self,
        geometry: &G,
        x: Tensor<X>,
        weight: &Param<Tensor<W>>,
        bias: Option<&Param<Tensor<1>>>,
    ) -> Tensor<X> {
        pass::drive(self.side(geometry, weight, bias), x)
    }

    /// Learns from the states on both sides in all phases of one batch, by an operator; the `observe_at` of Burn's layers
    /// calls this. States that do not fit refuse the pass.
    pub fn observe_by<G: Geometry<X, W>, const X: usize, const W: usize>(
        &self,
        geometry: &G,
        pairs: &[StatePair<X>],
        weight: &Param<Tensor<W>>,
    ) {
        pass::observe(self.side(geometry, weight, None), pairs, &self.seat);
    }

    fn side<'a, G, const W: usize>(
        &'a self,
        geometry: &'a G,
        weight: &'a Param<Tensor<W>>,
        bias: Option<&'a Param<Tensor<1>>>,
    ) -> Side<'a, G, W> {
        let parts = pass::Parts { weight, bias, state: None, output: &self.output, forms: self.forms };
        Side { geometry, parts }
    }

    /// Whether the layer hands on its responses as they are.
    pub(super) fn is_plain(&self) -> bool {
        self.output.is_plain()
    }
}

macro_rules! by_states {
    ($($layer:ty, $rank:literal, |$local:ident, $input:ident| $geometry:expr;)*) => {$(
        impl Local<$layer> {
            /// The transpose of the layer: `Σ_k y_k w_k` of a value for each response, laid where each patch lies in an input
            /// of these dimensions. What lies in mirrored padding folds back, what no kernel reads is 0; the bias has no part
            /// in it. Outside the autodiff graph.
            ///
            /// # Panics
            ///
            /// If the shapes do not fit.
            pub fn feedback(&self, y: Tensor<$rank>, input: [usize; $rank]) -> Tensor<$rank> {
                let ($local, $input) = (self, input);
                self.feedback_by(&$geometry, y, &self.layer.weight, input)
            }

            /// The drive `W x + b`: the responses without the layer's [`Output`](crate::Output), outside the autodiff graph;
            /// nothing learns from it.
            ///
            /// # Panics
            ///
            /// If the shapes do not fit.
            pub fn drive(&self, x: Tensor<$rank>) -> Tensor<$rank> {
                let ($local, $input) = (self, x.dims());
                self.drive_by(&$geometry, x, &self.layer.weight, self.layer.bias.as_ref())
            }

            /// Learns `1/N Σ k corr(x, s)` from the states on both sides in all phases of one batch of `N` images, and for the
            /// bias `1/N Σ k s`. In a pass that is observed, of a layer that a plan trains by
            /// [`GivenStates`](burn_hebbian_core::GivenStates); states that do not fit refuse the pass. Sums of other batches
            /// add up.
            ///
            /// # Panics
            ///
            /// If the states do not fit the layer's channels or kernel.
            pub fn observe_at(&self, pairs: &[StatePair<$rank>]) {
                let Some(first) = pairs.first() else { return };
                let ($local, $input) = (self, first.input.dims());
                self.observe_by(&$geometry, pairs, &self.layer.weight);
            }
        }
    )*};
}

by_states! {
    Conv1d, 3, |local, input| Convolution::<3>::new(&local.layer, local.padding_mode, input);
    Conv2d, 4, |local, input| Convolution::<4>::new(&local.layer, local.padding_mode, input);
    Conv3d, 5, |local, input| Convolution::<5>::new(&local.layer, local.padding_mode, input);
    ConvTranspose1d, 3, |local, input| Transposed::<3>::new(&local.layer, input);
    ConvTranspose2d, 4, |local, input| Transposed::<4>::new(&local.layer, input);
    ConvTranspose3d, 5, |local, input| Transposed::<5>::new(&local.layer, input);
}

impl Local<Linear> {
    /// The transpose of the layer, `y Wᵀ`: `[.., d_output]` → `[.., d_input]`, for an input of these dimensions. Outside the
    /// autodiff graph, without bias.
    ///
    /// ```
    /// # use burn::{nn::{Initializer, LinearConfig}, tensor::{Device, Tensor}};
    /// # use burn_hebbian_nn::Local;
    /// # let device = Device::flex();
    /// let ones = LinearConfig::new(2, 3).with_bias(false).with_initializer(Initializer::Ones);
    /// let y = Tensor::<2>::from_data([[1.0, 2.0, 3.0]], &device);
    /// let x = Local::new(ones.init(&device)).feedback(y, [1, 2]);
    /// x.into_data().assert_eq(&[[6.0, 6.0]].into(), false);
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    pub fn feedback<const D: usize>(&self, y: Tensor<D>, input: [usize; D]) -> Tensor<D> {
        let geometry = LinearGeometry::new(&self.layer, input);
        let flat = [input[..D - 1].iter().product(), input[D - 1]];
        self.feedback_by(&geometry, by_rows(y), &self.layer.weight, flat).reshape(input)
    }

    /// The drive `W x + b`: the responses without the layer's [`Output`](crate::Output), outside the autodiff graph; nothing
    /// learns from it.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    pub fn drive<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mut dims = x.dims();
        let geometry = LinearGeometry::new(&self.layer, dims);
        let y = self.drive_by(&geometry, by_rows(x), &self.layer.weight, self.layer.bias.as_ref());
        dims[D - 1] = y.dims()[1];
        y.reshape(dims)
    }

    /// Learns `1/N Σ k xᵀ s` from the states on both sides in all phases of one batch of `N` images (all leading dimensions),
    /// and for the bias `1/N Σ k s`. In a pass that is observed, of a layer that a plan trains by
    /// [`GivenStates`](burn_hebbian_core::GivenStates); states that do not fit refuse the pass. Sums of other batches add up.
    ///
    /// # Panics
    ///
    /// If the states do not fit the layer.
    pub fn observe_at<const D: usize>(&self, pairs: &[StatePair<D>]) {
        let Some(first) = pairs.first() else { return };
        let geometry = LinearGeometry::new(&self.layer, first.input.dims());
        let by_rows = |pair: &StatePair<D>| {
            StatePair::new(by_rows(pair.input.clone()), by_rows(pair.state.clone()), pair.weight)
        };
        let pairs: Vec<_> = pairs.iter().map(by_rows).collect();
        self.observe_by(&geometry, &pairs, &self.layer.weight);
    }
}

/// `[.., width]` → `[n, width]`.
fn by_rows<const D: usize>(values: Tensor<D>) -> Tensor<2> {
    let dims = values.dims();
    values.reshape([dims[..D - 1].iter().product(), dims[D - 1]])
}
