//! Sums and gradient of a layer as one tensor, so that Burn's own summing keeps them together.
//!
//! Burn adds up what `GradientsParams` holds under the ids of a model's parameters, over micro-batches and
//! devices. A layer's numerator, mass and backprop gradient all are sums; laid end to end under the weight's id
//! they add up exactly, and the layer needs no parameters beside its weight. A packed tensor that never met
//! `finish` has the wrong shape for the weight and cannot be stepped by mistake.

use burn::tensor::{DType, Tensor};
use burn_hebbian_core::{Numerator, Sums};

use crate::bind::LocalLayer;

/// The parts of a packed tensor.
pub(crate) struct Parts {
    pub(crate) numerator: Numerator,
    /// None for a plain sum.
    pub(crate) mass: Option<Tensor<1>>,
    /// None for a rule that makes none.
    pub(crate) statistics: Option<Tensor<1>>,
    /// `[groups, before, neurons, after]`; only for layers in which backprop has a share.
    pub(crate) gradient: Option<Tensor<4>>,
}

impl LocalLayer {
    fn mass_len(&self) -> usize {
        self.rule.finish().mass_len(&self.layout)
    }

    fn statistics_len(&self) -> usize {
        self.rule.statistics_len(&self.layout)
    }

    pub(crate) fn mixes_backprop(&self) -> bool {
        self.backprop_share > 0.0
    }

    /// The shape of a packed tensor: all values on the first axis.
    pub(crate) fn packed_dims<const D: usize>(&self) -> [usize; D] {
        let weights = self.layout.num_elements();
        let gradient = if self.mixes_backprop() { weights } else { 0 };
        let mut dims = [1; D];
        dims[0] = weights + self.mass_len() + self.statistics_len() + gradient;
        dims
    }

    /// Lays sums and gradient end to end.
    pub(crate) fn pack<const D: usize>(&self, sums: Option<Sums>, gradient: Option<Tensor<D>>) -> Tensor<D> {
        let parts = self.parts(sums, gradient).expect("only layers with sums or a gradient are packed");
        let weights = self.layout.num_elements();
        let Parts { numerator, mass, statistics, gradient } = parts;
        let gradient = gradient.map(|gradient| gradient.reshape([weights]));
        let parts = [Some(numerator.into_values()), mass, statistics, gradient].into_iter().flatten();
        Tensor::cat(parts.collect(), 0).reshape(self.packed_dims::<D>())
    }

    /// Numerator, mass, statistics and gradient, each if the layer has it; what is missing is zero. None if there are neither
    /// sums nor a gradient.
    pub(crate) fn parts<const D: usize>(
        &self,
        sums: Option<Sums>,
        gradient: Option<Tensor<D>>,
    ) -> Option<Parts> {
        let (device, dtype) = match (&sums, &gradient) {
            (Some(sums), _) => sums.numerator.options(),
            (None, Some(gradient)) => (gradient.device(), precise(gradient.dtype())),
            (None, None) => return None,
        };
        let zeros = |len: usize| Tensor::<1>::zeros([len], (&device, dtype));
        let fill = |part: Option<Tensor<1>>, len: usize| {
            (len > 0).then(|| part.map_or_else(|| zeros(len), |part| part.cast(dtype)))
        };
        let weights = self.layout.num_elements();
        let (numerator, mass, statistics) = match sums {
            Some(Sums { numerator, mass, statistics, .. }) => (numerator, mass, statistics),
            None => (zeros(weights).into(), None, None),
        };
        let gradient = gradient.map(|gradient| gradient.reshape([weights]));
        let gradient = fill(gradient, if self.mixes_backprop() { weights } else { 0 });
        Some(Parts {
            numerator,
            mass: fill(mass, self.mass_len()),
            statistics: fill(statistics, self.statistics_len()),
            gradient: gradient.map(|gradient| self.layout.view(gradient)),
        })
    }

    /// How many values the parts have that were not filled in.
    pub(crate) fn lengths(&self) -> [usize; 3] {
        [self.layout.num_elements(), self.mass_len(), self.statistics_len()]
    }

    /// Takes a packed tensor apart.
    pub(crate) fn unpack<const D: usize>(&self, packed: Tensor<D>) -> Parts {
        let len = packed.dims()[0];
        let flat: Tensor<1> = packed.reshape([len]);
        let weights = self.layout.num_elements();
        let (masses, statistics) = (self.mass_len(), self.statistics_len());
        let part = |start: usize, len: usize| (len > 0).then(|| flat.clone().narrow(0, start, len));
        let view = |start: usize| self.layout.view(flat.clone().narrow(0, start, weights));
        Parts {
            numerator: flat.clone().narrow(0, 0, weights).into(),
            mass: part(weights, masses),
            statistics: part(weights + masses, statistics),
            gradient: self.mixes_backprop().then(|| view(weights + masses + statistics)),
        }
    }
}

/// The type in which sums of values of this type are kept.
fn precise(dtype: DType) -> DType {
    if dtype == DType::F64 { DType::F64 } else { DType::F32 }
}
