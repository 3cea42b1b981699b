//! Whether layer and input fit; said before anything is computed, with the kind of layer and the numbers.

use std::fmt;

use burn::tensor::{DType, Shape, Tensor};
use burn_hebbian_core::WeightLayout;

use crate::window::{Window, spatial};

/// Whether layer and input fit, or what is wrong: what a forward pass panics with and a check answers.
pub(super) type Fits = Result<(), String>;

/// Ends a check with a message unless something holds.
macro_rules! ensure {
    ($holds:expr, $($message:tt)+) => {
        if $holds {
        } else {
            return Err(format!($($message)+));
        }
    };
}

/// A kind of layer, as messages call it and its axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    name: &'static str,
    axes: &'static str,
}

const LENGTH: &str = "length";
const AREA: &str = "height, width";
const VOLUME: &str = "depth, height, width";

impl Kind {
    pub(super) const LINEAR: Self = Self { name: "linear", axes: "" };
    pub(super) const CONV1D: Self = Self { name: "conv1d", axes: LENGTH };
    pub(super) const CONV2D: Self = Self { name: "conv2d", axes: AREA };
    pub(super) const CONV3D: Self = Self { name: "conv3d", axes: VOLUME };
    pub(super) const CONV_TRANSPOSE1D: Self = Self { name: "conv_transpose1d", axes: LENGTH };
    pub(super) const CONV_TRANSPOSE2D: Self = Self { name: "conv_transpose2d", axes: AREA };
    pub(super) const CONV_TRANSPOSE3D: Self = Self { name: "conv_transpose3d", axes: VOLUME };

    /// Refuses an input of other channels, or without positions.
    pub(super) fn check_channels<const X: usize>(self, channels: usize, input: [usize; X]) -> Fits {
        ensure!(input[1] == channels, "{self}: expected [n, {channels}, {}], got {input:?}", self.axes);
        ensure!(!input[2..].contains(&0), "{self}: an input without positions, {input:?}");
        Ok(())
    }

    /// Refuses sizes of 0: a layer's fields are open to everybody.
    pub(super) fn check_sizes<const D: usize>(
        self,
        kernel: [usize; D],
        stride: [usize; D],
        dilation: [usize; D],
    ) -> Fits {
        let sizes = [kernel, stride, dilation];
        ensure!(
            !sizes.as_flattened().contains(&0),
            "{self}: kernel, stride and dilation must be at least 1, got {kernel:?}, {stride:?} and {dilation:?}"
        );
        Ok(())
    }

    /// Refuses a weight that is not of this kernel, or whose first axis does not fall into these groups.
    pub(super) fn check_weight<const D: usize>(
        self,
        weight: &Shape,
        kernel: [usize; D],
        groups: usize,
    ) -> Fits {
        ensure!(
            weight[2..] == kernel,
            "{self}: the layer has a kernel of {kernel:?}, its weight one of {:?}",
            &weight[2..]
        );
        ensure!(
            groups > 0 && weight[0].is_multiple_of(groups),
            "{self}: a weight of {:?} does not fall into {groups} groups",
            weight.as_slice()
        );
        Ok(())
    }

    /// Refuses an input, padded as the window says, that the kernel does not fit into.
    pub(super) fn check_kernel<const X: usize>(self, window: &Window, input: [usize; X]) -> Fits {
        let (span, padded) = (window.span(), window.padded(spatial(input)));
        ensure!(
            span.iter().zip(&padded).all(|(span, padded)| span <= padded),
            "{self}: a kernel that spans {:?} does not fit into the padded input of {:?}",
            &span[5 - X..],
            &padded[5 - X..]
        );
        Ok(())
    }

    /// Refuses to mirror more of an input than there is; its border itself is not repeated.
    pub(super) fn check_reflection<const X: usize>(self, window: &Window, input: [usize; X]) -> Fits {
        let size: [usize; 3] = spatial(input);
        ensure!(
            window.padding.iter().zip(&size).all(|((before, after), size)| before.max(after) < size),
            "{self}: reflect padding must be smaller than the input, got {:?} for {:?}",
            &window.padding[5 - X..],
            &size[5 - X..]
        );
        Ok(())
    }

    /// Refuses an input of which a transposed layer's padding leaves no output.
    pub(super) fn check_transposed<const X: usize>(
        self,
        window: &Window,
        padding_out: [usize; 3],
        input: [usize; X],
    ) -> Fits {
        let (span, size): (_, [usize; 3]) = (window.span(), spatial(input));
        let fits = |axis: usize| {
            let steps = (size[axis] - 1).saturating_mul(window.stride[axis]);
            let reach = steps.saturating_add(span[axis]).saturating_add(padding_out[axis]);
            reach > window.padding[axis].0.saturating_mul(2)
        };
        ensure!(
            (0..3).all(fits),
            "{self}: padding of {:?} leaves no output of an input of {:?} under a kernel that spans {:?}",
            &window.padding.map(|(before, _)| before)[5 - X..],
            &size[5 - X..],
            &span[5 - X..]
        );
        Ok(())
    }

    /// Refuses coefficients that do not lie where the layer's outputs do.
    pub(super) fn check_coefficients<const X: usize>(self, expected: [usize; X], got: [usize; X]) {
        assert!(got == expected, "{self}: expected coefficients of {expected:?}, got {got:?}");
    }

    pub(super) const fn name(self) -> &'static str {
        self.name
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Refuses to multiply numbers of different types, which backends read as if they were of one.
pub(crate) fn check_types<const X: usize, const W: usize>(layer: &str, x: &Tensor<X>, w: &Tensor<W>) {
    let (x, w) = (x.dtype(), w.dtype());
    // Flex32 is stored as F32; quantized weights are the backend's to multiply
    let alike = |dtype| if dtype == DType::Flex32 { DType::F32 } else { dtype };
    let quantized = [x, w].iter().any(|dtype| matches!(dtype, DType::QFloat(_)));
    assert!(quantized || alike(x) == alike(w), "{layer}: the weight is of {w:?}, the input of {x:?}");
}

/// Refuses responses that do not lie where those of the layout's neurons do.
pub(crate) fn check_responses<const X: usize>(layer: &str, layout: &WeightLayout, got: [usize; X]) {
    let neurons = layout.total_neurons();
    assert!(got[1] == neurons, "{layer}: expected responses of [n, {neurons}, ..], got {got:?}");
}
