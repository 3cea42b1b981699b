//! Padding, resolved to pairs and to what lies in it.

use burn::{
    nn::{PaddingConfig1d, PaddingConfig2d, PaddingConfig3d},
    tensor::{Tensor, ops::PadMode},
};
use serde::{Deserialize, Serialize};

/// What lies in the padding of a Hebbian convolution.
///
/// ```
/// # use burn::{nn::{Initializer, PaddingConfig1d, conv::Conv1dConfig}, tensor::{Device, Tensor}};
/// use burn_hebbian_nn::{Local, PaddingMode};
/// # let device = Device::flex();
///
/// let sums = Conv1dConfig::new(1, 1, 3).with_bias(false).with_initializer(Initializer::Ones);
/// let layer = Local::new(sums.with_padding(PaddingConfig1d::Same).init(&device));
/// let x = Tensor::from_data([[[1.0, 2.0, 3.0]]], &device);
/// for (mode, expected) in [
///     (PaddingMode::Zeros, [[[3.0, 6.0, 5.0]]]),
///     (PaddingMode::Reflect, [[[5.0, 6.0, 7.0]]]), // of 2, 1, 2, 3, 2
/// ] {
///     let y = layer.clone().with_padding_mode(mode).forward(x.clone());
///     y.into_data().assert_eq(&expected.into(), false);
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PaddingMode {
    /// Zeros, as in Burn's own layers.
    #[default]
    Zeros,
    /// The input mirrored at its border, the border itself not repeated.
    Reflect,
}

/// `(before, after)` of every axis.
type Pairs<const D: usize> = [(usize, usize); D];

/// `[(left, right)]`, exactly as the plain layer pads.
pub(crate) fn pairs_1d(
    padding: &PaddingConfig1d,
    size: [usize; 1],
    kernel: [usize; 1],
    stride: [usize; 1],
) -> Pairs<1> {
    match *padding {
        PaddingConfig1d::Valid => [(0, 0)],
        PaddingConfig1d::Same => same(size, kernel, stride),
        PaddingConfig1d::Explicit(left, right) => [(left, right)],
    }
}

/// `[(top, bottom), (left, right)]`, exactly as the plain layer pads.
pub(crate) fn pairs_2d(
    padding: &PaddingConfig2d,
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
) -> Pairs<2> {
    match *padding {
        PaddingConfig2d::Valid => [(0, 0); 2],
        PaddingConfig2d::Same => same(size, kernel, stride),
        PaddingConfig2d::Explicit(top, left, bottom, right) => [(top, bottom), (left, right)],
    }
}

/// `[(front, back), (top, bottom), (left, right)]`, as the plain layer pads where it can: that one refuses a
/// `Same` that is not symmetric, this one does not.
pub(crate) fn pairs_3d(
    padding: &PaddingConfig3d,
    size: [usize; 3],
    kernel: [usize; 3],
    stride: [usize; 3],
) -> Pairs<3> {
    match *padding {
        PaddingConfig3d::Valid => [(0, 0); 3],
        PaddingConfig3d::Same => same(size, kernel, stride),
        PaddingConfig3d::Explicit(depth, height, width) => {
            [depth, height, width].map(|padding| (padding, padding))
        }
    }
}

/// Without what lies in the padding of its last axes: the transpose of padding with zeros.
pub(super) fn crop<const X: usize>(mut dx: Tensor<X>, padding: [(usize, usize); 3]) -> Tensor<X> {
    for (axis, (before, after)) in (2..X).zip(&padding[5 - X..]) {
        if before + after > 0 {
            let length = dx.dims()[axis] - before - after;
            dx = dx.narrow(axis, *before, length);
        }
    }
    dx
}

/// What lies in the padding of its last axes added where it was mirrored from: the transpose of padding by reflection.
pub(super) fn fold_reflection<const X: usize>(mut dx: Tensor<X>, padding: [(usize, usize); 3]) -> Tensor<X> {
    for (axis, (before, after)) in (2..X).zip(&padding[5 - X..]) {
        let length = dx.dims()[axis] - before - after;
        let mut inside = dx.clone().narrow(axis, *before, length);
        // the border itself is not repeated: the first `before` elements mirror those from 1 on
        for (from, count, to) in
            [(0, *before, 1), (before + length, *after, (length - 1).saturating_sub(*after))]
        {
            if count > 0 {
                let mirrored = dx.clone().narrow(axis, from, count).flip([axis]);
                let mut around = [(0, 0); X];
                around[axis] = (to, length - to - count);
                inside = inside + mirrored.pad(&around[2..], PadMode::Constant(0.0));
            }
        }
        dx = inside;
    }
    dx
}

/// As many outputs as inputs, divided by the stride. The extra element of an odd total goes to the end;
/// dilation is not taken into account, as in the plain layers.
fn same<const D: usize>(size: [usize; D], kernel: [usize; D], stride: [usize; D]) -> Pairs<D> {
    std::array::from_fn(|axis| {
        let outputs = size[axis].div_ceil(stride[axis]);
        let reach = outputs.saturating_sub(1) * stride[axis] + kernel[axis];
        let total = reach.saturating_sub(size[axis]);
        (total / 2, total - total / 2)
    })
}
