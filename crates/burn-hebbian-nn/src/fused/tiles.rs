//! The input of a convolution, tile by tile.
//!
//! Positions of all images, in order, are cut into slices along the first axis that has more than one; a tile is some
//! slices in succession, over the borders of images where they are small. What a tile's kernels read is copied once, with
//! its padding, and unfolded from there into blocks of positions.

use std::ops::Range;

use super::products::{BLOCK, Lane, STEP};
use crate::window::Window;

/// Numbers of a tile that the cache of a core keeps: half a megabyte.
const CACHED: usize = 1 << 17;

/// Positions that a tile has even if they do not fit: for each tile all sums are read and written once.
const FEWEST: usize = 96;

/// How the positions of a batch are cut into tiles.
#[derive(Debug, Clone)]
pub(super) struct Tiling {
    window: Window,
    /// In a group.
    channels: usize,
    input: [usize; 3],
    output: [usize; 3],
    /// The axis that is cut.
    axis: usize,
    /// Slices of all images.
    slices: usize,
    /// Of a tile.
    slices_of_tile: usize,
}

impl Tiling {
    /// For so many images, channels and neurons a group, on so many threads.
    pub(super) fn new(
        window: &Window,
        images: usize,
        [channels, neurons]: [usize; 2],
        input: [usize; 3],
        threads: usize,
    ) -> Self {
        let output = window.output(input);
        let axis = output.iter().position(|length| *length > 1).unwrap_or(2);
        let slices = images * output[axis];
        let mut tiling = Self { window: *window, channels, input, output, axis, slices, slices_of_tile: 1 };
        let most = (CACHED / (tiling.features() + neurons)).max(FEWEST) / tiling.slice();
        tiling.slices_of_tile = tiling.fitting(most.min(slices.div_ceil(threads)).max(1));
        tiling
    }

    /// One tile for each of so many threads.
    pub(super) fn all(
        window: &Window,
        images: usize,
        sizes: [usize; 2],
        input: [usize; 3],
        threads: usize,
    ) -> Self {
        let tiling = Self::new(window, images, sizes, input, threads);
        Self { slices_of_tile: tiling.slices.div_ceil(threads), ..tiling }
    }

    /// As many slices as asked for, or somewhat fewer if their positions fill blocks better.
    fn fitting(&self, most: usize) -> usize {
        let filled = |slices: &usize| {
            let positions = slices * self.slice();
            positions as f64 / positions.next_multiple_of(BLOCK) as f64
        };
        let candidates = (most.div_ceil(2)..=most).rev();
        candidates.max_by(|a, b| filled(a).total_cmp(&filled(b)).then(a.cmp(b))).unwrap_or(1)
    }

    /// Positions of a slice.
    pub(super) fn slice(&self) -> usize {
        self.output[self.axis..].iter().skip(1).product()
    }

    /// Slices of an image.
    pub(super) fn slices_of_image(&self) -> usize {
        self.output[self.axis]
    }

    /// Features of a group, a multiple of [`STEP`].
    pub(super) fn features(&self) -> usize {
        (self.channels * self.taps()).next_multiple_of(STEP)
    }

    fn taps(&self) -> usize {
        self.window.kernel.iter().product()
    }

    /// Numbers of an unfolded tile.
    pub(super) fn numbers(&self) -> usize {
        self.slices_of_tile * self.slice() * self.features()
    }

    /// Slices for each of so many threads, in whole tiles.
    pub(super) fn share(&self, threads: usize) -> Vec<Range<usize>> {
        let tiles = self.slices.div_ceil(self.slices_of_tile);
        let bound = |thread: usize| (tiles * thread / threads * self.slices_of_tile).min(self.slices);
        (0..threads).map(|thread| bound(thread)..bound(thread + 1)).collect()
    }

    /// The tiles of some slices.
    pub(super) fn tiles(&self, slices: Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
        let (end, step) = (slices.end, self.slices_of_tile);
        slices.step_by(step).map(move |start| start..(start + step).min(end))
    }

    /// The parts of a tile that lie in one image each: the image, and slices of it.
    pub(super) fn by_image(&self, tile: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> + use<> {
        let slices = self.slices_of_image();
        let images = tile.start / slices..tile.end.div_ceil(slices);
        images.map(move |image| {
            let start = tile.start.max(image * slices) - image * slices;
            (image, start..tile.end.min((image + 1) * slices) - image * slices)
        })
    }

    /// How far apart two slices' first inputs are.
    fn stride(&self) -> usize {
        self.window.stride[self.axis]
    }

    /// Inputs along the cut axis that so many slices read.
    fn rows(&self, slices: usize) -> usize {
        (slices - 1) * self.stride() + self.window.span()[self.axis]
    }
}

/// A tile of one group, unfolded: the scratch of a thread.
pub(super) struct Unfolded {
    /// What the tile's kernels read, `[channels, …]` with all parts' rows along the cut axis, and a block of slack at
    /// both ends.
    band: Vec<f32>,
    /// Where the kernel reads for each position, in the band.
    offsets: Vec<usize>,
    /// Blocks of positions, `features` lanes each.
    pub(super) blocks: Vec<Lane>,
}

impl Unfolded {
    pub(super) fn new() -> Self {
        Self { band: Vec::new(), offsets: Vec::new(), blocks: Vec::new() }
    }

    /// The tile's input of one group, from the values of the whole batch with `channels` channels.
    #[inline(always)]
    pub(super) fn fill(
        &mut self,
        tiling: &Tiling,
        x: &[f32],
        groups: usize,
        group: usize,
        tile: Range<usize>,
    ) {
        let axis = tiling.axis;
        let parts = || tiling.by_image(tile.clone());
        let mut extent = [0, 1, 2]
            .map(|axis| (tiling.output[axis] - 1) * tiling.window.stride[axis] + tiling.window.span()[axis]);
        extent[axis] = parts().map(|(_, slices)| tiling.rows(slices.len())).sum();
        let steps = [extent[1] * extent[2], extent[2], 1];
        let volume = extent[0] * steps[0];
        self.band.clear();
        self.band.resize(tiling.channels * volume + 2 * BLOCK, 0.0);
        self.offsets.clear();

        let image_volume: usize = tiling.input.iter().product();
        let mut row = 0;
        for (image, slices) in parts() {
            let rows = tiling.rows(slices.len());
            let first = slices.start * tiling.stride();
            for channel in 0..tiling.channels {
                let at = (image * groups + group) * tiling.channels + channel;
                let source = &x[at * image_volume..][..image_volume];
                let target = &mut self.band[BLOCK + channel * volume..][..volume];
                copy_padded(tiling, source, target, extent, row, first..first + rows);
            }
            self.locate(tiling, row, slices.len(), steps);
            row += rows;
        }
        self.unfold(tiling, steps, volume);
    }

    /// Where the kernel reads for the positions of some slices whose rows begin at `row`.
    fn locate(&mut self, tiling: &Tiling, row: usize, slices: usize, steps: [usize; 3]) {
        let mut counts = tiling.output;
        counts[tiling.axis] = slices;
        let stride = tiling.window.stride;
        let base = BLOCK + row * steps[tiling.axis];
        for z in 0..counts[0] {
            for y in 0..counts[1] {
                let at = base + z * stride[0] * steps[0] + y * stride[1] * steps[1];
                self.offsets.extend((0..counts[2]).map(|x| at + x * stride[2]));
            }
        }
    }

    /// Lays the patches out in blocks of positions; what is beyond the last position or feature is 0.
    #[inline(always)]
    fn unfold(&mut self, tiling: &Tiling, steps: [usize; 3], volume: usize) {
        let features = tiling.features();
        let [kernel, dilation] = [tiling.window.kernel, tiling.window.dilation];
        let mut taps = Vec::with_capacity(tiling.taps());
        for z in 0..kernel[0] {
            for y in 0..kernel[1] {
                let at = z * dilation[0] * steps[0] + y * dilation[1] * steps[1];
                taps.extend((0..kernel[2]).map(|x| at + x * dilation[2]));
            }
        }
        let count = self.offsets.len().div_ceil(BLOCK);
        self.blocks.clear();
        self.blocks.resize(count * features, [0.0; BLOCK]);
        for (offsets, lanes) in self.offsets.chunks(BLOCK).zip(self.blocks.chunks_exact_mut(features)) {
            let runs = Runs::of(offsets);
            let mut lanes = lanes.iter_mut();
            for channel in 0..tiling.channels {
                for (tap, lane) in taps.iter().zip(&mut lanes) {
                    runs.read(&self.band[channel * volume + tap..], lane);
                }
            }
        }
    }
}

/// Where the positions of a block read.
enum Runs<'a> {
    /// In succession.
    One(usize),
    /// In succession, and from one of them on in succession somewhere else; as far as the second run goes on to the left
    /// there is something to be read.
    Two(usize, usize, usize),
    /// Anywhere.
    Many(&'a [usize]),
}

impl<'a> Runs<'a> {
    fn of(offsets: &'a [usize]) -> Self {
        if offsets.len() < BLOCK {
            return Self::Many(offsets);
        }
        let breaks = |i: &usize| offsets[*i] != offsets[*i - 1] + 1;
        let mut breaks = (1..BLOCK).filter(breaks);
        match (breaks.next(), breaks.next()) {
            (None, _) => Self::One(offsets[0]),
            // the band begins with a block of slack: nothing lies before it
            (Some(i), None) => Self::Two(offsets[0], offsets[i] - i, i),
            _ => Self::Many(offsets),
        }
    }

    /// What the positions read, from where their tap begins.
    #[inline(always)]
    fn read(&self, band: &[f32], lane: &mut Lane) {
        let run = |start: usize| -> &Lane { band[start..].first_chunk().expect("the band ends with slack") };
        match *self {
            Self::One(start) => *lane = *run(start),
            Self::Two(first, second, at) => {
                let (first, second) = (run(first), run(second));
                for (i, value) in lane.iter_mut().enumerate() {
                    *value = if i < at { first[i] } else { second[i] };
                }
            }
            Self::Many(offsets) => {
                for (value, offset) in lane.iter_mut().zip(offsets) {
                    *value = band[*offset];
                }
            }
        }
    }
}

/// Copies the inputs `rows` (counted with padding) of a channel to `target`, an array of size `extent`, from `row` on
/// along the cut axis; padding stays as it is.
fn copy_padded(
    tiling: &Tiling,
    source: &[f32],
    target: &mut [f32],
    extent: [usize; 3],
    row: usize,
    rows: Range<usize>,
) {
    let (input, padding) = (tiling.input, tiling.window.padding);
    // the inputs along every axis, and where the first of them goes
    let axes: [(Range<usize>, usize); 3] = [0, 1, 2].map(|axis| {
        let (wanted, to) = if axis == tiling.axis { (rows.clone(), row) } else { (0..extent[axis], 0) };
        let before = padding[axis].0;
        let (start, end) = (wanted.start.max(before), wanted.end.min(before + input[axis]));
        if start < end { (start - before..end - before, to + start - wanted.start) } else { (0..0, to) }
    });
    let [(zs, z_to), (ys, y_to), (xs, x_to)] = axes;
    if xs.is_empty() {
        return;
    }
    for (z, z_to) in zs.zip(z_to..) {
        for (y, y_to) in ys.clone().zip(y_to..) {
            let from = (z * input[1] + y) * input[2];
            let to = (z_to * extent[1] + y_to) * extent[2] + x_to;
            target[to..to + xs.len()].copy_from_slice(&source[from + xs.start..from + xs.end]);
        }
    }
}
