//! Layers as loops over scalars: which pixels a neuron sees.

/// A convolution, or a linear layer as a 1×1 convolution of 1×1 images.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Images, channels, height, width.
    pub input: [usize; 4],
    /// Neurons, channels / groups, height, width.
    pub weight: [usize; 4],
    /// Vertical and horizontal.
    pub stride: [usize; 2],
    /// Top, left, bottom, right.
    pub padding: [usize; 4],
    /// Whether the padding mirrors the image.
    pub reflect: bool,
    /// Vertical and horizontal.
    pub dilation: [usize; 2],
    /// Groups of channels and neurons.
    pub groups: usize,
}

impl Layer {
    /// An unpadded convolution of stride 1.
    pub fn dense(input: [usize; 4], weight: [usize; 4]) -> Self {
        let (stride, dilation) = ([1, 1], [1, 1]);
        Self { input, weight, stride, padding: [0; 4], reflect: false, dilation, groups: 1 }
    }

    /// Weights of one neuron.
    pub fn fan_in(&self) -> usize {
        self.weight[1..].iter().product()
    }

    /// Neurons of all groups.
    pub fn neurons(&self) -> usize {
        self.weight[0]
    }

    pub(crate) fn neurons_per_group(&self) -> usize {
        self.weight[0] / self.groups
    }

    fn outputs(&self, axis: usize) -> usize {
        let padded = self.input[2 + axis] + self.padding[axis] + self.padding[axis + 2];
        (padded - self.dilation[axis] * (self.weight[2 + axis] - 1) - 1) / self.stride[axis] + 1
    }

    /// Every output position.
    pub(crate) fn positions(&self) -> impl Iterator<Item = [usize; 2]> {
        let (rows, columns) = (self.outputs(0), self.outputs(1));
        (0..rows).flat_map(move |row| (0..columns).map(move |column| [row, column]))
    }

    /// The pixel of image `n`, channel `c` at a padded position.
    fn pixel(&self, x: &[f64], n: usize, c: usize, row: usize, column: usize) -> f64 {
        let [_, channels, height, width] = self.input;
        let place = |padded: usize, before: usize, size: usize| {
            let (at, size) = (padded as isize - before as isize, size as isize);
            let inside = (0..size).contains(&at);
            match (inside, self.reflect) {
                (true, _) => Some(at as usize),
                (false, true) if at < 0 => Some((-at) as usize),
                (false, true) => Some((2 * (size - 1) - at) as usize),
                (false, false) => None,
            }
        };
        match (place(row, self.padding[0], height), place(column, self.padding[1], width)) {
            (Some(row), Some(column)) => x[((n * channels + c) * height + row) * width + column],
            _ => 0.0,
        }
    }

    /// The patch of image `n` that `group` sees at an output position.
    pub(crate) fn patch(&self, x: &[f64], n: usize, group: usize, at: [usize; 2]) -> Vec<f64> {
        let [_, channels, height, width] = self.weight;
        let mut patch = Vec::new();
        for c in 0..channels {
            for i in 0..height {
                for j in 0..width {
                    let row = at[0] * self.stride[0] + i * self.dilation[0];
                    let column = at[1] * self.stride[1] + j * self.dilation[1];
                    patch.push(self.pixel(x, n, group * channels + c, row, column));
                }
            }
        }
        patch
    }
}
