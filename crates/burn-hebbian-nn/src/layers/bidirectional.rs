//! Local layers as the edges of a chain of states.

use burn::{
    nn::{
        Linear,
        conv::{Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d},
    },
    tensor::Tensor,
};

use super::local::Local;
use crate::{
    StatePair,
    geometry::{Convolution, Geometry, LinearGeometry, Transposed},
};

/// A layer between two states, whatever their rank: what settling needs of it.
///
/// States are flat, `[n, elements]`; the shape of an image's input, `[channels, positions…]`, comes beside. Local layers of
/// Burn's kinds have all of it. For a layer of your own implement it on a type of yours that borrows the local layer, by
/// [`Local::drive_by`], [`Local::feedback_by`] and [`Local::observe_by`].
///
/// ```
/// # use burn::{nn::{PaddingConfig2d, conv::Conv2dConfig}, tensor::Device};
/// use burn_hebbian_nn::{Local, Bidirectional};
///
/// let conv = Local::new(Conv2dConfig::new([3, 8], [5, 5]).init(&Device::flex()));
/// assert_eq!(conv.output_shape(&[3, 12, 12]).unwrap(), [8, 8, 8]);
/// assert!(conv.output_shape(&[2, 12, 12]).unwrap_err().contains("expected [n, 3, height, width]"));
/// ```
///
/// A batch norm is none:
///
/// ```compile_fail
/// fn settles(_: &dyn burn_hebbian_nn::Bidirectional) {}
/// fn norm(norm: burn_hebbian_nn::SyncBatchNorm) {
///     settles(&norm);
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an edge of a chain of states",
    note = "feedback goes through the transpose of a layer: `Local` layers have one. A batch norm has none that holds for all \
            states (its statistics couple the images of a batch, and would move while states settle): fold it into the \
            layer below it, or leave it out"
)]
pub trait Bidirectional {
    /// What messages call the layer.
    fn name(&self) -> &'static str;

    /// The shape of an image's responses to an input of this shape.
    ///
    /// # Errors
    ///
    /// If the layer does not fit the input, or does not hand on its responses as they are.
    fn output_shape(&self, input: &[usize]) -> Result<Vec<usize>, String>;

    /// The drive `W x + b`.
    fn drive(&self, x: Tensor<2>, input: &[usize]) -> Tensor<2>;

    /// The transpose `Wᵀ y`.
    fn feedback(&self, y: Tensor<2>, input: &[usize]) -> Tensor<2>;

    /// Learns from the states on both sides in all phases of one batch.
    fn observe(&self, pairs: Vec<StatePair<2>>, input: &[usize]);
}

/// Why a layer with an output function is refused.
const OUTPUT: &str =
    "has an output function, and between states activations belong to the chain: leave it plain";

/// `[n, shape…]`, if there are as many axes.
fn batch<const X: usize>(n: usize, shape: &[usize]) -> Option<[usize; X]> {
    (shape.len() + 1 == X).then(|| std::array::from_fn(|axis| if axis == 0 { n } else { shape[axis - 1] }))
}

/// A flat state in the shape of a layer's rank.
fn shaped<const X: usize>(flat: Tensor<2>, shape: &[usize]) -> Tensor<X> {
    let n = flat.dims()[0];
    flat.reshape(batch::<X>(n, shape).expect("checked by `output_shape`"))
}

fn flat<const X: usize>(values: Tensor<X>) -> Tensor<2> {
    let dims = values.dims();
    values.reshape([dims[0], dims[1..].iter().product()])
}

macro_rules! bidirectional {
    ($($layer:ty, $rank:literal, $name:literal, |$local:ident, $input:ident| $fitting:expr;)*) => {$(
        impl Bidirectional for Local<$layer> {
            fn name(&self) -> &'static str {
                $name
            }

            fn output_shape(&self, input: &[usize]) -> Result<Vec<usize>, String> {
                let axes = $rank - 1;
                let misfit = || format!("{}: expected states of {axes} axes, channels first, got {input:?}", $name);
                let ($local, $input) = (self, batch::<$rank>(1, input).ok_or_else(misfit)?);
                if !self.is_plain() {
                    return Err(format!("{} {OUTPUT}", $name));
                }
                let output = ($fitting)?.output($input).expect("layers of Burn's kinds can tell");
                Ok(output[1..].to_vec())
            }

            fn drive(&self, x: Tensor<2>, input: &[usize]) -> Tensor<2> {
                flat(Local::<$layer>::drive(self, shaped::<$rank>(x, input)))
            }

            fn feedback(&self, y: Tensor<2>, input: &[usize]) -> Tensor<2> {
                let output = self.output_shape(input).expect("checked before");
                let dims = batch::<$rank>(y.dims()[0], input).expect("checked by `output_shape`");
                flat(Local::<$layer>::feedback(self, shaped::<$rank>(y, &output), dims))
            }

            fn observe(&self, pairs: Vec<StatePair<2>>, input: &[usize]) {
                let output = self.output_shape(input).expect("checked before");
                let pairs: Vec<_> = pairs
                    .into_iter()
                    .map(|StatePair { input: below, state, weight }| {
                        StatePair::new(shaped::<$rank>(below, input), shaped(state, &output), weight)
                    })
                    .collect();
                self.observe_at(&pairs);
            }
        }
    )*};
}

bidirectional! {
    Conv1d, 3, "conv1d", |local, input| Convolution::<3>::fitting(&local.layer, local.padding_mode, input);
    Conv2d, 4, "conv2d", |local, input| Convolution::<4>::fitting(&local.layer, local.padding_mode, input);
    Conv3d, 5, "conv3d", |local, input| Convolution::<5>::fitting(&local.layer, local.padding_mode, input);
    ConvTranspose1d, 3, "conv_transpose1d", |local, input| Transposed::<3>::fitting(&local.layer, input);
    ConvTranspose2d, 4, "conv_transpose2d", |local, input| Transposed::<4>::fitting(&local.layer, input);
    ConvTranspose3d, 5, "conv_transpose3d", |local, input| Transposed::<5>::fitting(&local.layer, input);
}

/// Between states of any shape, flattened.
impl Bidirectional for Local<Linear> {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn output_shape(&self, input: &[usize]) -> Result<Vec<usize>, String> {
        let elements = input.iter().product();
        if !self.is_plain() {
            return Err(format!("linear {OUTPUT}"));
        }
        let geometry = LinearGeometry::fitting(&self.layer, [1, elements])?;
        Ok(vec![geometry.layout().neurons])
    }

    fn drive(&self, x: Tensor<2>, _input: &[usize]) -> Tensor<2> {
        Local::<Linear>::drive(self, x)
    }

    fn feedback(&self, y: Tensor<2>, input: &[usize]) -> Tensor<2> {
        let dims = [y.dims()[0], input.iter().product()];
        Local::<Linear>::feedback(self, y, dims)
    }

    fn observe(&self, pairs: Vec<StatePair<2>>, _input: &[usize]) {
        self.observe_at(&pairs);
    }
}
