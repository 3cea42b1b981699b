//! The states of all layers of a chain.

use burn::tensor::Tensor;

/// The states `s_1 … s_L` of a batch; those of a read-out are none. They belong to their images: no record has them.
#[derive(Debug, Clone)]
pub struct States {
    values: Vec<Tensor<2>>,
    shapes: Vec<Vec<usize>>,
}

impl States {
    pub(crate) fn new(values: Vec<Tensor<2>>, shapes: Vec<Vec<usize>>) -> Self {
        Self { values, shapes }
    }

    /// How many layers there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none; no chain has such states.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The state of a layer, counted from 1, flat: `[n, elements]`.
    ///
    /// # Panics
    ///
    /// If there is no such layer.
    pub fn flat(&self, layer: usize) -> Tensor<2> {
        self.values[layer - 1].clone()
    }

    /// The state of a layer, counted from 1, `[n, channels, positions…]`.
    ///
    /// # Panics
    ///
    /// If there is no such layer, or its state has another rank.
    pub fn layer<const D: usize>(&self, layer: usize) -> Tensor<D> {
        let shape = &self.shapes[layer - 1];
        assert!(shape.len() + 1 == D, "states of layer {layer}: their rank is {}, not {D}", shape.len() + 1);
        let flat = self.flat(layer);
        let n = flat.dims()[0];
        flat.reshape(std::array::from_fn::<_, D, _>(|axis| if axis == 0 { n } else { shape[axis - 1] }))
    }

    pub(crate) fn values(&self) -> &[Tensor<2>] {
        &self.values
    }
}
