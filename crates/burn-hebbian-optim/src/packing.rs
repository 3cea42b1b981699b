//! Sums and gradient of a layer as one tensor, so that Burn's own summing keeps them together.
//!
//! Burn adds up what `GradientsParams` holds under the ids of a model's parameters, over micro-batches and
//! devices. A layer's numerator, mass and backprop gradient all are sums; laid end to end under the weight's id
//! they add up exactly, and the layer needs no parameters beside its weight. A packed tensor that never met
//! `finish` has the wrong shape for the weight and cannot be stepped by mistake.

use burn::tensor::{DType, Tensor};
use burn_hebbian_core::Sums;

use crate::bind::LocalLayer;

/// The parts of a packed tensor.
pub(crate) struct Parts {
    /// `[groups, before, neurons, after]`.
    pub(crate) numerator: Tensor<4>,
    /// None for a plain sum.
    pub(crate) mass: Option<Tensor<1>>,
    /// None for a rule that makes none.
    pub(crate) statistics: Option<Tensor<1>>,
    /// As the numerator; only for layers in which backprop has a share.
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

    /// Lays sums and gradient end to end; what is missing is zero.
    pub(crate) fn pack<const D: usize>(&self, sums: Option<Sums>, gradient: Option<Tensor<D>>) -> Tensor<D> {
        let (device, dtype) = match (&sums, &gradient) {
            (Some(sums), _) => (sums.numerator.device(), sums.numerator.dtype()),
            (None, Some(gradient)) => (gradient.device(), precise(gradient.dtype())),
            (None, None) => unreachable!("only layers with sums or a gradient are packed"),
        };
        let zeros = |len: usize| Tensor::<1>::zeros([len], (&device, dtype));
        let weights = self.layout.num_elements();
        let Sums { numerator, mass, statistics, .. } =
            sums.unwrap_or_else(|| Sums::new(zeros(weights), None, None));
        let mut parts = vec![numerator];
        for (part, len) in [(mass, self.mass_len()), (statistics, self.statistics_len())] {
            if len > 0 {
                parts.push(part.map_or_else(|| zeros(len), |part| part.cast(dtype)));
            }
        }
        if self.mixes_backprop() {
            let given = |gradient: Tensor<D>| gradient.reshape([weights]).cast(dtype);
            parts.push(gradient.map_or_else(|| zeros(weights), given));
        }
        Tensor::cat(parts, 0).reshape(self.packed_dims::<D>())
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
            numerator: view(0),
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
