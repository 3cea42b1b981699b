//! Which form of a correlation is the cheapest.
//!
//! Costs are counted in multiplications of a matrix product on flex. Products are fast and moving is not: a number is
//! moved in the time of 25 multiplications, so with few neurons the form that moves least wins, with many the one whose
//! products waste least. The constants were fitted to `benches/forms.rs`, which also shows how far the choice is from the
//! best form.

use burn::tensor::Device;

use super::views;
use crate::{backend::Backend, forms::CorrelationForm, window::Window};

/// Moving a number in memory.
const MOVE: f64 = 25.0;

/// Beginning a run of neighboring numbers that are moved.
const RUN: f64 = 100.0;

/// Adding a number of a product to the sum of products.
const SUM: f64 = 100.0;

/// Rows or columns that a product takes at least, whatever it has.
const THIN: usize = 4;

/// Numbers laid out at a time on a CPU, whose cache they should not leave: 4 MB.
const AT_ONCE_IN_CACHE: usize = 1 << 20;

/// Numbers laid out at a time elsewhere, where every chunk is some launches more: 256 MB.
const AT_ONCE: usize = 1 << 26;

/// The sizes of one correlation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task {
    window: Window,
    images: usize,
    /// In a group.
    channels: usize,
    /// In a group.
    neurons: usize,
    /// Of the padded input.
    grid: [usize; 3],
    positions: [usize; 3],
}

impl Task {
    /// The correlation of an input and coefficients of these dimensions.
    pub(crate) fn new(window: &Window, x: [usize; 5], c: [usize; 5]) -> Self {
        let [images, channels, input @ ..] = x;
        let [_, neurons, positions @ ..] = c;
        let padded = |axis: usize| input[axis] + window.padding[axis].0 + window.padding[axis].1;
        Self {
            window: *window,
            images,
            channels: channels / window.groups,
            neurons: neurons / window.groups,
            grid: [0, 1, 2].map(padded),
            positions,
        }
    }

    /// The form, or the one that takes its place on a layer that cannot have it.
    pub(super) fn feasible(&self, form: CorrelationForm) -> CorrelationForm {
        match form {
            CorrelationForm::Views if !views::exist(&self.window) => CorrelationForm::Patches,
            // of what could not be fused
            CorrelationForm::Fused => CorrelationForm::Patches,
            form => form,
        }
    }

    /// The form to take on this device.
    ///
    /// Flex's was measured. Of other backends no more is assumed than that one product is one product: a kernel of one
    /// tap takes it, other layers take Burn's own gradient, those with groups without a convolution for each.
    pub(crate) fn cheapest(&self, device: &Device) -> CorrelationForm {
        if Backend::of(device).is_flex() {
            let forms = CorrelationForm::ALL.into_iter().filter(|form| self.feasible(*form) == *form);
            let cheaper = |a: &CorrelationForm, b: &CorrelationForm| self.cost(*a).total_cmp(&self.cost(*b));
            return forms.min_by(cheaper).unwrap_or(CorrelationForm::Patches);
        }
        if self.window.groups == 1 && self.taps() > 1 {
            CorrelationForm::Gradient
        } else {
            CorrelationForm::Taps
        }
    }

    /// How many images' patches are laid out at a time.
    pub(super) fn patches_at_once(&self, device: &Device) -> usize {
        self.at_once(room(device), self.count() * self.fan_in())
    }

    /// How many images' inputs and coefficients are laid out on a grid at a time.
    pub(super) fn grids_at_once(&self, device: &Device) -> usize {
        self.at_once(room(device), self.grid.iter().product::<usize>() * (self.channels + self.neurons))
    }

    /// How many images are laid out at a time, of so many numbers a group each, if so many are laid out at least.
    ///
    /// Enough that a product outweighs the adding of what it sums to.
    fn at_once(&self, at_once: usize, numbers: usize) -> usize {
        let sums = self.neurons * self.fan_in();
        (at_once.max(self.window.groups * sums) / (self.window.groups * numbers)).max(1)
    }

    fn cost(&self, form: CorrelationForm) -> f64 {
        match form {
            // of no shape the best beyond noise; another pass
            CorrelationForm::Gradient | CorrelationForm::Fused => f64::INFINITY,
            CorrelationForm::Taps => self.taps_cost(),
            CorrelationForm::Patches => self.patches_cost(),
            CorrelationForm::Images => self.images_cost(),
            CorrelationForm::Views => self.views_cost(),
        }
    }

    fn taps_cost(&self) -> f64 {
        let moved = moving(self.patches(), self.run());
        if self.channels == 1 && self.neurons == 1 {
            return moved + MOVE * self.patches();
        }
        let products = self.taps() as f64 * self.product(self.channels, self.count());
        // small slices, one after another, are moved more slowly than the rows of patches
        products + 4.0 * moved + moving(self.coefficients(), self.count()) + SUM * self.sums()
    }

    fn patches_cost(&self) -> f64 {
        let row = self.window.kernel[2] * self.channels;
        let moved =
            moving(self.input(), 1) + moving(self.patches(), row) + moving(self.coefficients(), self.count());
        let chunks = self.images.div_ceil(self.at_once(AT_ONCE_IN_CACHE, self.count() * self.fan_in()));
        self.product(self.fan_in(), self.count()) + moved + SUM * self.sums() * chunks as f64
    }

    fn images_cost(&self) -> f64 {
        let in_place = self.taps() == 1 && self.window.stride == [1; 3];
        let moved = if in_place { 0.0 } else { moving(self.patches(), self.run()) };
        self.product(self.fan_in(), self.count()) + moved + SUM * self.sums() * self.images as f64
    }

    fn views_cost(&self) -> f64 {
        let Window { kernel, stride, .. } = self.window;
        let phases = [0, 1, 2].map(|axis| stride[axis].min(kernel[axis]));
        let cells = self.grid.iter().product::<usize>().div_ceil(stride.iter().product());
        let rows = kernel[0] * kernel[1] * phases[2];
        let products = rows as f64 * self.product(self.channels * kernel[2] / phases[2], cells);
        let canvas = (self.images * self.window.groups * self.neurons * cells) as f64;
        let canvas = moving(canvas, self.positions[2]) * phases.iter().product::<usize>() as f64;
        let split = if stride == [1; 3] { 0.0 } else { MOVE * self.input() };
        if self.channels == 1 {
            return products + split + 0.35 * canvas + SUM * self.sums() * self.images as f64;
        }
        products + split + 0.7 * canvas + moving(self.input(), 1) + SUM * self.sums()
    }

    /// Multiplications of a product of the neurons with so many columns over so many cells of all images.
    fn product(&self, columns: usize, cells: usize) -> f64 {
        let sides = self.neurons.max(THIN) * columns.max(THIN);
        (self.images * self.window.groups * cells) as f64 * sides as f64
    }

    /// Numbers in the correlation.
    fn sums(&self) -> f64 {
        (self.window.groups * self.neurons * self.fan_in()) as f64
    }

    fn input(&self) -> f64 {
        (self.images * self.window.groups * self.channels * self.grid.iter().product::<usize>()) as f64
    }

    fn coefficients(&self) -> f64 {
        (self.images * self.window.groups * self.neurons * self.count()) as f64
    }

    /// Numbers in all patches.
    fn patches(&self) -> f64 {
        (self.images * self.window.groups * self.count() * self.fan_in()) as f64
    }

    /// Positions of an image.
    fn count(&self) -> usize {
        self.positions.iter().product()
    }

    fn taps(&self) -> usize {
        self.window.kernel.iter().product()
    }

    fn fan_in(&self) -> usize {
        self.channels * self.taps()
    }

    /// Neighboring numbers of an input row that a tap sees.
    fn run(&self) -> usize {
        if self.window.stride[2] == 1 { self.positions[2] } else { 1 }
    }
}

/// Numbers to lay out at a time.
fn room(device: &Device) -> usize {
    if Backend::of(device).is_host() { AT_ONCE_IN_CACHE } else { AT_ONCE }
}

/// Moving so many numbers in runs of such a length.
fn moving(numbers: f64, run: usize) -> f64 {
    numbers * (MOVE + RUN / run as f64)
}
