//! Which form of a correlation is the cheapest.
//!
//! Costs are counted in multiplications of a matrix product on flex. The constants were fitted to `benches/forms.rs`,
//! which also shows how far the choice is from the best form.

use burn::tensor::Device;

use super::{super::window::Window, views};
use crate::forms::{CorrelationForm, is_flex};

/// Moving a number in memory.
const MOVE: f64 = 40.0;

/// Beginning a run of neighbouring numbers that are moved.
const RUN: f64 = 200.0;

/// Preparing a number of a factor for a product.
const PACK: f64 = 8.0;

/// Numbers laid out at a time: 4 MB of patches.
const AT_ONCE: usize = 1 << 20;

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
            form => form,
        }
    }

    /// The form to take on this device.
    ///
    /// Flex's was measured. Of other backends no more is assumed than that one product is one product: a kernel of one
    /// tap takes it, other layers take Burn's own gradient, those with groups without a convolution for each.
    pub(crate) fn cheapest(&self, device: &Device) -> CorrelationForm {
        if is_flex(device) {
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
    ///
    /// Enough that the product outweighs the adding of what they sum to.
    pub(super) fn images_at_once(&self) -> usize {
        let patches = self.window.groups * self.count() * self.fan_in();
        let sums = self.window.groups * self.neurons * self.fan_in();
        (AT_ONCE.max(sums) / patches).max(1)
    }

    fn cost(&self, form: CorrelationForm) -> f64 {
        match form {
            CorrelationForm::Gradient => f64::INFINITY,
            CorrelationForm::Taps => self.taps_cost(),
            CorrelationForm::Patches => self.patches_cost(),
            CorrelationForm::Images => self.images_cost(),
            CorrelationForm::Views => self.views_cost(),
        }
    }

    fn taps_cost(&self) -> f64 {
        let [c, patches] = [self.coefficients(), self.patches()];
        let moved = moving(patches, self.run());
        if self.channels == 1 && self.neurons == 1 {
            return moved + 3.0 * MOVE * patches;
        }
        let packed = PACK * (c * self.taps() as f64 + patches);
        self.product() + moved + moving(c, self.count()) + packed
    }

    fn patches_cost(&self) -> f64 {
        let [x, c, patches] = [self.input(), self.coefficients(), self.patches()];
        let row = self.window.kernel[2] * self.channels;
        let moved = moving(x, 1) + moving(patches, row) + moving(c, self.count());
        self.product() + moved + PACK * (c + patches)
    }

    fn images_cost(&self) -> f64 {
        let patches = self.patches();
        let in_place = self.taps() == 1 && self.window.stride == [1; 3];
        let moved = if in_place { 0.0 } else { moving(patches, self.run()) };
        let sums = (self.images * self.window.groups * self.neurons * self.fan_in()) as f64;
        self.product() + moved + 2.0 * MOVE * sums + PACK * (self.coefficients() + patches)
    }

    fn views_cost(&self) -> f64 {
        let strides: f64 = self.window.stride.iter().product::<usize>() as f64;
        let cells = self.grid.iter().product::<usize>() as f64 / strides;
        let waste = cells / self.count() as f64;
        let [x, c] = [self.input(), self.coefficients() * waste];
        let x = if self.channels == 1 { moving(x, self.grid[2]) } else { moving(x, 1) };
        let rows = (self.taps() / self.window.kernel[2]) as f64;
        let packed = PACK * (c * rows * strides.min(2.0) + self.patches() * waste);
        self.product() * waste + x + 2.0 * moving(c, self.positions[2]) + packed
    }

    /// Multiplications of the sum itself.
    fn product(&self) -> f64 {
        self.patches() * self.neurons as f64
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

    /// Neighbouring numbers of an input row that a tap sees.
    fn run(&self) -> usize {
        if self.window.stride[2] == 1 { self.positions[2] } else { 1 }
    }
}

/// Moving so many numbers in runs of such a length.
fn moving(numbers: f64, run: usize) -> f64 {
    numbers * (MOVE + RUN / run as f64)
}
