//! Patches laid out in memory, a few images at a time.

use burn::tensor::{Slice, Tensor, ops::PadMode};

use super::layout::{by_group, channels_last, sum_of_images};
use crate::window::{Window, pad};

/// One product of the coefficients with the patches of `images` images, `[neurons, patches] · [patches, fan-in]`.
pub(super) fn over_images(window: &Window, x: Tensor<5>, c: Tensor<5>, images: usize) -> Tensor<5> {
    let [_, channels, ..] = x.dims();
    let [_, neurons, positions @ ..] = c.dims();
    let [depth, height, width] = window.kernel;
    let groups = window.groups;
    let (channels, neurons) = (channels / groups, neurons / groups);
    let fan_in = depth * height * width * channels;
    let sums = sum_of_images(x, c, images, |x, c| {
        let x = channels_last(groups, pad(x, window.padding, PadMode::Constant(0.0)));
        // taps before channels: what one row of the kernel sees is copied in one run
        let patches = views(window, x, 1, positions).permute([0, 1, 2, 3, 5, 6, 7, 4]);
        let c = by_group(c, groups);
        let count = c.dims()[2];
        c.matmul(patches.reshape([groups, count, fan_in]))
    });
    sums.reshape([groups, neurons, depth, height, width, channels]).permute([0, 1, 5, 2, 3, 4]).reshape([
        groups * neurons,
        channels,
        depth,
        height,
        width,
    ])
}

/// One product an image, `[neurons, positions] · [positions, fan-in]`, and the sum of these.
///
/// The coefficients stay where they are, and so do the inputs of a kernel of one tap.
pub(super) fn by_image(window: &Window, x: Tensor<5>, c: Tensor<5>, images: usize) -> Tensor<5> {
    let [_, channels, ..] = x.dims();
    let [_, neurons, positions @ ..] = c.dims();
    let [depth, height, width] = window.kernel;
    let groups = window.groups;
    let (channels, neurons) = (channels / groups, neurons / groups);
    let fan_in = channels * depth * height * width;
    let sums = sum_of_images(x, c, images, |x, c| {
        let x = pad(x, window.padding, PadMode::Constant(0.0));
        let [n, _, planes, rows, columns] = x.dims();
        let [batch, count] = [n * groups, positions.iter().product()];
        let x = x.reshape([batch, channels, planes, rows, columns]);
        let patches = views(window, x, 2, positions).permute([0, 1, 5, 6, 7, 2, 3, 4]);
        let patches: Tensor<3> = patches.reshape([batch, fan_in, count]);
        let sums = c.reshape([batch, neurons, count]).matmul(patches.swap_dims(1, 2));
        sums.reshape([n, groups * neurons, fan_in]).sum_dim(0)
    });
    sums.reshape([groups * neurons, channels, depth, height, width])
}

/// What the kernel sees at every position: three spatial axes from `axis` on become positions, three axes of the kernel
/// are appended. On flex these are views.
fn views(window: &Window, x: Tensor<5>, axis: usize, positions: [usize; 3]) -> Tensor<8> {
    let [depth, height, width] = window.span();
    let x: Tensor<6> = x.unfold(axis, depth, window.stride[0]);
    let x: Tensor<7> = x.unfold(axis + 1, height, window.stride[1]);
    let x: Tensor<8> = x.unfold(axis + 2, width, window.stride[2]);
    let mut slices = [Slice::full(); 8];
    for spatial in 0..3 {
        slices[axis + spatial] = Slice::from(0..positions[spatial]);
        slices[5 + spatial] = Slice::with_step(0, None, window.dilation[spatial] as isize);
    }
    x.slice(slices)
}
