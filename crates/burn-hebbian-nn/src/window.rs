//! How a kernel slides over its input, on three spatial axes.

use burn::tensor::{
    Slice, Tensor,
    ops::{ConvOptions, ConvTransposeOptions, PadMode},
};

/// Groups, kernel, stride, padding and dilation of a convolution over depth, height and width.
///
/// Axes that the layer lacks lead, with a kernel of one element: 1-D is `[1, 1, length]`, 2-D is
/// `[1, height, width]`. So everything that learns is written once.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub(crate) groups: usize,
    pub(crate) kernel: [usize; 3],
    pub(crate) stride: [usize; 3],
    /// Before and after.
    pub(crate) padding: [(usize, usize); 3],
    pub(crate) dilation: [usize; 3],
}

impl Window {
    /// A window over the last `D` axes.
    pub(crate) fn new<const D: usize>(
        groups: usize,
        kernel: [usize; D],
        stride: [usize; D],
        padding: [(usize, usize); D],
        dilation: [usize; D],
    ) -> Self {
        Self {
            groups,
            kernel: trailing(kernel, 1),
            stride: trailing(stride, 1),
            padding: trailing(padding, (0, 0)),
            dilation: trailing(dilation, 1),
        }
    }

    /// The same window for one group.
    pub(crate) fn ungrouped(self) -> Self {
        Self { groups: 1, ..self }
    }

    /// The options of a convolution over the last `D` axes.
    pub(crate) fn options<const D: usize>(&self) -> ConvOptions<D> {
        let (stride, dilation) = (last(self.stride), last(self.dilation));
        ConvOptions::new_with_padding(stride, last(self.padding), dilation, self.groups)
    }

    /// The options of a transposed convolution over the last `D` axes.
    pub(crate) fn transposed_options<const D: usize>(
        &self,
        padding_out: [usize; 3],
    ) -> ConvTransposeOptions<D> {
        let padding = last(self.padding.map(|(before, _)| before));
        let (stride, dilation) = (last(self.stride), last(self.dilation));
        ConvTransposeOptions::new(stride, padding, last(padding_out), dilation, self.groups)
    }

    /// How many elements of every axis the kernel spans.
    pub(crate) fn span(&self) -> [usize; 3] {
        // saturating: beyond any input it does not fit, whatever it wraps to
        [0, 1, 2].map(|axis| self.dilation[axis].saturating_mul(self.kernel[axis] - 1).saturating_add(1))
    }

    /// How long every axis of an input of these lengths is with its padding.
    pub(crate) fn padded(&self, input: [usize; 3]) -> [usize; 3] {
        [0, 1, 2].map(|axis| {
            let (before, after) = self.padding[axis];
            input[axis].saturating_add(before).saturating_add(after)
        })
    }

    /// How many positions every axis of an input of these lengths has.
    pub(crate) fn output(&self, input: [usize; 3]) -> [usize; 3] {
        let (span, padded) = (self.span(), self.padded(input));
        [0, 1, 2].map(|axis| (padded[axis] - span[axis]) / self.stride[axis] + 1)
    }

    /// How many elements at the end of every axis of an input of these lengths no kernel reads.
    pub(crate) fn unread(&self, input: [usize; 3], output: [usize; 3]) -> [usize; 3] {
        let span = self.span();
        [0, 1, 2].map(|axis| {
            let (before, after) = self.padding[axis];
            let read = (output[axis] - 1) * self.stride[axis] + span[axis];
            input[axis] + before + after - read
        })
    }

    /// Where a tap of the kernel reads for the first output.
    pub(crate) fn offset(&self, tap: [usize; 3]) -> [usize; 3] {
        [0, 1, 2].map(|axis| tap[axis] * self.dilation[axis])
    }
}

/// Values for the last axes, `fill` for those before: `[h, w]` → `[fill, h, w]`.
pub(crate) fn trailing<T: Copy, const D: usize>(values: [T; D], fill: T) -> [T; 3] {
    let mut axes = [fill; 3];
    axes[3 - D..].copy_from_slice(&values);
    axes
}

/// The last `D` of three axes.
pub(crate) fn last<T: Copy, const D: usize>(axes: [T; 3]) -> [T; D] {
    std::array::from_fn(|axis| axes[3 - D + axis])
}

/// The spatial axes of `[n, channels, …]`.
pub(crate) fn spatial<const X: usize>(dims: [usize; X]) -> [usize; 3] {
    let mut axes = [1; 3];
    axes[5 - X..].copy_from_slice(&dims[2..]);
    axes
}

/// `[n, channels, …]` → `[n, channels, depth, height, width]`; nothing moves.
pub(crate) fn volume<const X: usize>(x: Tensor<X>) -> Tensor<5> {
    let dims = x.dims();
    let mut five = [1; 5];
    five[..2].copy_from_slice(&dims[..2]);
    five[7 - X..].copy_from_slice(&dims[2..]);
    x.reshape(five)
}

/// `[n, channels, depth, height, width]` → `[n, channels, …]`, without the leading axes of one element.
pub(crate) fn flat<const X: usize>(x: Tensor<5>) -> Tensor<X> {
    let dims = x.dims();
    x.reshape(std::array::from_fn::<_, X, _>(|axis| if axis < 2 { dims[axis] } else { dims[axis + 5 - X] }))
}

/// Pads the spatial axes; no copy if there is nothing to pad.
pub(crate) fn pad<const X: usize>(x: Tensor<X>, padding: [(usize, usize); 3], mode: PadMode) -> Tensor<X> {
    if padding == [(0, 0); 3] {
        return x;
    }
    x.pad(&padding[5 - X..], mode)
}

/// `counts` elements of every spatial axis from `offset` on, in steps; no copy if that is all of them.
pub(crate) fn strided(x: Tensor<5>, offset: [usize; 3], counts: [usize; 3], steps: [usize; 3]) -> Tensor<5> {
    if x.dims()[2..] == counts {
        return x;
    }
    let mut slices = [Slice::full(); 5];
    for axis in 0..3 {
        let end = offset[axis] + (counts[axis] - 1) * steps[axis] + 1;
        slices[2 + axis] = Slice::from_range_stepped(offset[axis]..end, steps[axis] as isize);
    }
    x.slice(slices)
}
