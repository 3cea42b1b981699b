//! `⟨W x, y⟩ = ⟨x, Wᵀ y⟩` on every kind of layer.

use burn::{
    nn::{
        LinearConfig, PaddingConfig1d, PaddingConfig2d, PaddingConfig3d,
        conv::{
            Conv1dConfig, Conv2dConfig, Conv3dConfig, ConvTranspose1dConfig, ConvTranspose2dConfig,
            ConvTranspose3dConfig,
        },
    },
    tensor::{Device, Tensor},
};
use burn_hebbian::{nn::PaddingMode, prelude::*};
use burn_hebbian_tests::values::{tensor, vec};

fn dot<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f64 {
    vec(a).iter().zip(vec(b)).map(|(a, b)| a * b).sum()
}

/// Drive without bias, and feedback of it, by what the layer has for both.
macro_rules! adjoint {
    ($($what:literal: $layer:expr, $rank:literal, $input:expr;)*) => {$({
        let (layer, input): (_, [usize; $rank]) = ($layer, $input);
        let x = tensor::<$rank>(1, input, &Device::flex());
        let wx = layer.drive(x.clone());
        let y = tensor::<$rank>(2, wx.dims(), &Device::flex());
        let (forth, back) = (dot(wx, y.clone()), dot(x, layer.feedback(y, input)));
        assert!((forth - back).abs() < 1e-4 * forth.abs().max(1.0), "{}: {forth} and {back}", $what);
    })*};
}

#[test]
fn feedback_is_the_transpose_of_every_layer() {
    let device = &Device::flex();
    let conv2d = |config: Conv2dConfig| Local::new(config.with_bias(false).init(device));
    adjoint! {
        "linear": Local::new(LinearConfig::new(4, 3).with_bias(false).init(device)), 2, [5, 4];
        "linear, folded": Local::new(LinearConfig::new(4, 3).with_bias(false).init(device)), 3, [2, 5, 4];
        "conv1d": Local::new(Conv1dConfig::new(2, 3, 3).with_stride(2).with_bias(false).init(device)), 3, [2, 2, 10];
        "conv1d, reflected": Local::new(Conv1dConfig::new(2, 3, 4).with_padding(PaddingConfig1d::Explicit(3, 1))
            .with_bias(false).init(device)).with_padding_mode(PaddingMode::Reflect), 3, [2, 2, 9];
        "conv2d, strided": conv2d(Conv2dConfig::new([2, 3], [3, 4]).with_stride([2, 3])), 4, [2, 2, 8, 9];
        "conv2d, padded unevenly": conv2d(Conv2dConfig::new([2, 3], [3, 3])
            .with_padding(PaddingConfig2d::Explicit(2, 0, 1, 1))), 4, [2, 2, 6, 5];
        "conv2d, groups, dilated": conv2d(Conv2dConfig::new([4, 6], [3, 2]).with_groups(2).with_dilation([2, 1])),
            4, [2, 4, 7, 5];
        "conv2d, reflected": conv2d(Conv2dConfig::new([2, 3], [3, 5]).with_padding(PaddingConfig2d::Explicit(1, 2, 1, 2)))
            .with_padding_mode(PaddingMode::Reflect), 4, [2, 2, 5, 6];
        "conv2d, reflected as far as it goes": conv2d(Conv2dConfig::new([1, 2], [3, 3])
            .with_padding(PaddingConfig2d::Explicit(2, 2, 2, 2)))
            .with_padding_mode(PaddingMode::Reflect), 4, [2, 1, 3, 3];
        "conv3d": Local::new(Conv3dConfig::new([2, 3], [2, 3, 2]).with_padding(PaddingConfig3d::Explicit(1, 0, 1))
            .with_stride([1, 2, 1]).with_bias(false).init(device)), 5, [2, 2, 3, 6, 4];
        "conv_transpose1d": Local::new(ConvTranspose1dConfig::new([2, 3], 3).with_stride(2).with_bias(false).init(device)),
            3, [2, 2, 5];
        "conv_transpose2d": Local::new(ConvTranspose2dConfig::new([4, 6], [3, 3]).with_groups(2).with_padding([1, 1])
            .with_padding_out([1, 0]).with_stride([2, 1]).with_bias(false).init(device)), 4, [2, 4, 4, 5];
        "conv_transpose3d": Local::new(ConvTranspose3dConfig::new([2, 3], [2, 2, 3]).with_bias(false).init(device)),
            5, [2, 2, 3, 2, 4];
    }
}

/// What a chain says about the shape of a layer's responses is what they have.
#[test]
fn shapes_of_responses_are_known_before() {
    use burn_hebbian::nn::Bidirectional;
    let device = &Device::flex();
    let known = |layer: &dyn Bidirectional, input: &[usize], expected: &[usize]| {
        assert_eq!(layer.output_shape(input).unwrap(), expected);
        let x = tensor::<2>(1, [2, input.iter().product()], device);
        let y = layer.drive(x, input);
        assert_eq!(y.dims(), [2, expected.iter().product::<usize>()]);
        assert_eq!(layer.feedback(y, input).dims(), [2, input.iter().product::<usize>()]);
    };
    known(&Local::new(Conv1dConfig::new(2, 3, 3).with_stride(2).init(device)), &[2, 10], &[3, 4]);
    known(
        &Local::new(Conv2dConfig::new([2, 3], [3, 4]).with_stride([2, 3]).init(device)),
        &[2, 8, 9],
        &[3, 3, 2],
    );
    known(&Local::new(Conv3dConfig::new([2, 3], [2, 3, 2]).init(device)), &[2, 3, 6, 4], &[3, 2, 4, 3]);
    let transposed = ConvTranspose2dConfig::new([2, 3], [3, 3]).with_stride([2, 1]).with_padding_out([1, 0]);
    known(&Local::new(transposed.init(device)), &[2, 4, 5], &[3, 10, 7]);
    known(&Local::new(ConvTranspose1dConfig::new([2, 3], 3).with_padding(1).init(device)), &[2, 5], &[3, 5]);
    known(
        &Local::new(ConvTranspose3dConfig::new([2, 3], [2, 2, 3]).init(device)),
        &[2, 3, 2, 4],
        &[3, 4, 3, 6],
    );
    known(&Local::new(LinearConfig::new(12, 5).init(device)), &[3, 2, 2], &[5]);
}
