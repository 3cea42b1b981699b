//! Products on tensors of the CubeCL backend.

use burn::tensor::Shape;
use burn_cubecl::{
    kernel::{
        conv::{ConvStrategy, conv_data_backward, conv_forward, conv_weight_backward},
        matmul::{MatmulStrategy, matmul},
    },
    tensor::CubeTensor,
};

use crate::window::Window;

/// By the device's matrix units where a kernel for them takes the shape, directly where none does.
macro_rules! by_first {
    ($strategy:ident => $product:expr) => {{
        let by = |$strategy| $product;
        by(ConvStrategy::ImplicitGemm)
            .or_else(|_| by(ConvStrategy::Direct))
            .unwrap_or_else(|reason| panic!("a convolution that no kernel takes: {reason:?}"))
    }};
}

/// One of three products, by the number of spatial axes.
macro_rules! by_rank {
    ($tensor:ident, $options:ident => $product:ident ( $($argument:expr),* )) => {
        match $tensor.meta.num_dims() {
            3 => by_first!(strategy => $product::<1>($($argument.clone(),)* $options.options(), strategy)),
            4 => by_first!(strategy => $product::<2>($($argument.clone(),)* $options.options(), strategy)),
            _ => by_first!(strategy => $product::<3>($($argument.clone(),)* $options.options(), strategy)),
        }
    };
}

pub(super) fn convolve(x: CubeTensor, w: CubeTensor, window: &Window) -> CubeTensor {
    let bias: Option<CubeTensor> = None;
    by_rank!(x, window => conv_forward(x, w, bias))
}

pub(super) fn feed_back(dy: CubeTensor, w: CubeTensor, window: &Window, input: Shape) -> CubeTensor {
    by_rank!(dy, window => conv_data_backward(dy, w, input))
}

pub(super) fn weight_gradient(x: CubeTensor, c: CubeTensor, window: &Window, weight: Shape) -> CubeTensor {
    by_rank!(x, window => conv_weight_backward(x, c, weight))
}

pub(super) fn multiply(a: CubeTensor, b: CubeTensor) -> CubeTensor {
    let dtype = a.dtype;
    matmul(a, b, None, MatmulStrategy::Cube, dtype)
        .unwrap_or_else(|reason| panic!("a product that no kernel takes: {reason:?}"))
}
