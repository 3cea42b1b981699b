//! What a tap of the kernel sees as a shifted view of the input.

use burn::tensor::{Slice, Tensor, ops::PadMode};

use super::layout::{by_group, channels_last, sum_of_images};
use crate::window::{Window, pad, strided};

/// Whether what a tap sees can be a view: an axis may have a stride or a dilation, not both.
pub(super) fn exist(window: &Window) -> bool {
    (0..3).all(|axis| window.stride[axis] == 1 || window.dilation[axis] == 1 || window.kernel[axis] == 1)
}

/// One product for every row of the kernel, on the grid of the padded input.
///
/// So many images at a time.
pub(super) fn correlate(window: &Window, x: Tensor<5>, c: Tensor<5>, images: usize) -> Tensor<5> {
    sum_of_images(x, c, images, |x, c| of_images(window, x, c))
}

/// With strides, taps and inputs fall into phases that never meet: each phase is a correlation of stride 1.
fn of_images(window: &Window, x: Tensor<5>, c: Tensor<5>) -> Tensor<5> {
    let x = pad(x, window.padding, PadMode::Constant(0.0));
    let window = Window { padding: [(0, 0); 3], ..*window };
    if window.stride == [1; 3] {
        return dense(&window, x, c);
    }
    let [_, channels, ..] = x.dims();
    let [_, neurons, ..] = c.dims();
    let [depth, height, width] = window.kernel;
    let dims = [neurons, channels / window.groups, depth, height, width];
    let sums = Tensor::zeros(dims, (&x.device(), x.dtype()));
    let x = columns_by_phase(x, window.stride[2]);
    phases(&window).fold(sums, |sums, phase| {
        let columns = x.clone().narrow(0, phase[2], 1).squeeze_dim(0);
        let (seen, part) = of_phase(&window, columns, phase, c.dims());
        let taps =
            [0, 1, 2].map(|axis| Slice::with_step(phase[axis] as isize, None, window.stride[axis] as isize));
        let [z, y, x] = taps;
        sums.slice_assign([Slice::full(), Slice::full(), z, y, x], dense(&part, seen, c.clone()))
    })
}

/// Every phase of the strides that has a tap.
fn phases(window: &Window) -> impl Iterator<Item = [usize; 3]> + use<> {
    let [depth, height, width] = [0, 1, 2].map(|axis| window.stride[axis].min(window.kernel[axis]));
    (0..depth * height * width)
        .map(move |phase| [phase / (height * width), phase / width % height, phase % width])
}

/// The columns of every phase, `[n, channels, depth, height, width]` → `[phases, n, channels, depth, height, columns]`.
///
/// One transposition; strided slices would pick numbers one by one.
fn columns_by_phase(x: Tensor<5>, stride: usize) -> Tensor<6> {
    let rest = x.dims()[4].next_multiple_of(stride) - x.dims()[4];
    let x = pad(x, [(0, 0), (0, 0), (0, rest)], PadMode::Constant(0.0));
    let [n, channels, depth, height, width] = x.dims();
    let columns = width / stride;
    x.reshape([n * channels * depth * height * columns, stride])
        .swap_dims(0, 1)
        .reshape([stride, n, channels, depth, height, columns])
}

/// What the taps of a phase see of its columns, and the window of stride 1 that slides over it.
fn of_phase(window: &Window, x: Tensor<5>, phase: [usize; 3], output: [usize; 5]) -> (Tensor<5>, Window) {
    let kernel = [0, 1, 2].map(|axis| (window.kernel[axis] - phase[axis]).div_ceil(window.stride[axis]));
    let [_, _, positions @ ..] = output;
    // a dilation beside a stride has one tap
    let dilation = [0, 1, 2].map(|axis| if window.stride[axis] == 1 { window.dilation[axis] } else { 1 });
    let counts = [0, 1, 2].map(|axis| positions[axis] + dilation[axis] * (kernel[axis] - 1));
    let seen = strided(x, [phase[0], phase[1], 0], counts, [window.stride[0], window.stride[1], 1]);
    (seen, Window { kernel, stride: [1; 3], dilation, ..*window })
}

/// The correlation with stride 1 and without padding.
fn dense(window: &Window, x: Tensor<5>, c: Tensor<5>) -> Tensor<5> {
    let [n, channels, grid @ ..] = x.dims();
    let [_, neurons, positions @ ..] = c.dims();
    let [depth, height, width] = window.kernel;
    let groups = window.groups;
    let cells: usize = grid.iter().product();
    let c = pad(c, [0, 1, 2].map(|axis| (0, grid[axis] - positions[axis])), PadMode::Constant(0.0));
    let (channels, neurons) = (channels / groups, neurons / groups);
    let sums = if channels == 1 {
        // one product an image and group: nothing moves
        let (x, c) = (x.reshape([n * groups, cells]), c.reshape([n * groups, neurons, cells]));
        let sums = products(window, grid, x, c);
        let per_image = sums.dims().iter().product::<usize>() / n;
        sums.reshape([n, per_image]).sum_dim(0)
    } else {
        let x = channels_last(groups, x).reshape([groups, n * cells * channels]);
        let sums = products(window, grid, x, by_group(c, groups));
        let all = sums.dims().iter().product();
        sums.reshape([1, all])
    };
    let [outer, inner] = split(window);
    sums.reshape([groups, depth, height, outer, neurons, inner, channels])
        .permute([0, 4, 6, 1, 2, 3, 5])
        .reshape([groups * neurons, channels, depth, height, width])
}

/// Columns of the kernel that are steps apart, and those that lie side by side.
fn split(window: &Window) -> [usize; 2] {
    if window.dilation[2] == 1 { [1, window.kernel[2]] } else { [window.kernel[2], 1] }
}

/// `[batch, cells · channels]` and `[batch, neurons, cells]` → `[batch, depth, height, outer, neurons, inner · channels]`.
///
/// From any cell on, the taps that lie side by side see `inner · channels` numbers in a row: over all cells these are
/// overlapping views, and other taps see the same some cells later.
fn products(window: &Window, grid: [usize; 3], x: Tensor<2>, c: Tensor<3>) -> Tensor<6> {
    let [batch, neurons, cells] = c.dims();
    let channels = x.dims()[1] / cells;
    let [outer, inner] = split(window);
    let steps = [window.dilation[0] * grid[1] * grid[2], window.dilation[1] * grid[2], window.dilation[2]];
    let reach = [0, 1, 2].map(|axis| (window.kernel[axis] - 1) * steps[axis]);
    // cells from which every tap stays within the input
    let seen = cells - reach.iter().sum::<usize>();
    let x: Tensor<3> = x.unfold(1, inner * channels, channels); // [batch, cells, inner · channels]
    let apart = (outer - 1) * steps[2];
    let x: Tensor<4> = x.unfold(1, seen + apart + reach[1], steps[0]);
    let x: Tensor<5> = x.unfold(3, seen + apart, steps[1]);
    let x: Tensor<6> = x.unfold(4, seen, steps[2]); // [batch, depth, inner · channels, height, outer, cells]
    // as six axes while it is contiguous: shortened, it could not be reshaped without a copy
    let c = c.reshape([batch, 1, 1, 1, neurons, cells]).narrow(5, 0, seen);
    c.matmul(x.permute([0, 1, 3, 4, 5, 2]))
}
