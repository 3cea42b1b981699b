//! Layers as loops over scalars: which elements a neuron sees.

/// A convolution or transposed convolution over one to three axes, or a linear layer as a 1×1 convolution of
/// 1×1 images. Axes that a layer lacks lead, with one element.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Spatial axes: 1, 2 or 3.
    pub axes: usize,
    /// Images, channels, depth, height, width.
    pub input: [usize; 5],
    /// Neurons, channels / groups and kernel; if transposed channels, neurons / groups and kernel.
    pub weight: [usize; 5],
    /// One an axis.
    pub stride: [usize; 3],
    /// Before and after, one pair an axis.
    pub padding: [(usize, usize); 3],
    /// Whether the padding mirrors the image.
    pub reflect: bool,
    /// One an axis.
    pub dilation: [usize; 3],
    /// Groups of channels and neurons.
    pub groups: usize,
    /// Whether the convolution is transposed.
    pub transposed: bool,
    /// Additional outputs at the end of an axis of a transposed convolution.
    pub padding_out: [usize; 3],
}

/// Values of the last axes behind `fill` for the others.
fn trailing<T: Copy, const D: usize>(values: [T; D], fill: T) -> [T; 3] {
    let mut axes = [fill; 3];
    axes[3 - D..].copy_from_slice(&values);
    axes
}

/// `[a, b, spatial…]` with three spatial axes.
fn volume<const X: usize>(dims: [usize; X]) -> [usize; 5] {
    let mut five = [1; 5];
    five[..2].copy_from_slice(&dims[..2]);
    five[7 - X..].copy_from_slice(&dims[2..]);
    five
}

impl Layer {
    /// An unpadded convolution of stride 1.
    pub fn dense<const X: usize>(input: [usize; X], weight: [usize; X]) -> Self {
        Self {
            axes: X - 2,
            input: volume(input),
            weight: volume(weight),
            stride: [1; 3],
            padding: [(0, 0); 3],
            reflect: false,
            dilation: [1; 3],
            groups: 1,
            transposed: false,
            padding_out: [0; 3],
        }
    }

    /// An unpadded transposed convolution of stride 1.
    pub fn transposed<const X: usize>(input: [usize; X], weight: [usize; X]) -> Self {
        Self { transposed: true, ..Self::dense(input, weight) }
    }

    /// With another stride.
    pub fn strided<const D: usize>(self, stride: [usize; D]) -> Self {
        Self { stride: trailing(stride, 1), ..self }
    }

    /// With padding before and after.
    pub fn padded<const D: usize>(self, padding: [(usize, usize); D]) -> Self {
        Self { padding: trailing(padding, (0, 0)), ..self }
    }

    /// With padding that mirrors the image.
    pub fn reflecting<const D: usize>(self, padding: [(usize, usize); D]) -> Self {
        Self { reflect: true, ..self.padded(padding) }
    }

    /// With another dilation.
    pub fn dilated<const D: usize>(self, dilation: [usize; D]) -> Self {
        Self { dilation: trailing(dilation, 1), ..self }
    }

    /// In groups; input and weight must fit.
    pub fn grouped(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// With additional outputs.
    pub fn padded_out<const D: usize>(self, padding_out: [usize; D]) -> Self {
        Self { padding_out: trailing(padding_out, 0), ..self }
    }

    /// Weights of one neuron.
    pub fn fan_in(&self) -> usize {
        self.channels_per_group() * self.kernel()
    }

    /// Neurons of all groups.
    pub fn neurons(&self) -> usize {
        self.groups * self.neurons_per_group()
    }

    /// Neurons of one group.
    pub fn neurons_per_group(&self) -> usize {
        if self.transposed { self.weight[1] } else { self.weight[0] / self.groups }
    }

    /// Channels of the input that a neuron sees.
    pub fn channels_per_group(&self) -> usize {
        if self.transposed { self.weight[0] / self.groups } else { self.weight[1] }
    }

    fn kernel(&self) -> usize {
        self.weight[2..].iter().product()
    }

    fn outputs(&self, axis: usize) -> usize {
        let (size, (before, after)) = (self.input[2 + axis], self.padding[axis]);
        let reach = self.dilation[axis] * (self.weight[2 + axis] - 1) + 1;
        if self.transposed {
            (size - 1) * self.stride[axis] + reach + self.padding_out[axis] - before - after
        } else {
            (size + before + after - reach) / self.stride[axis] + 1
        }
    }

    /// Every output position.
    pub(crate) fn positions(&self) -> impl Iterator<Item = [usize; 3]> {
        steps([0, 1, 2].map(|axis| self.outputs(axis)))
    }

    /// Where on an axis a tap of the kernel reads for an output.
    fn source(&self, axis: usize, output: usize, tap: usize) -> Option<usize> {
        let [stride, before, size, tap, output] = [
            self.stride[axis],
            self.padding[axis].0,
            self.input[2 + axis],
            self.dilation[axis] * tap,
            output,
        ]
        .map(|value| value as isize);
        if self.transposed {
            // the input that a scatter of stride and dilation would add to this output
            let scattered = output + before - tap;
            let at = scattered / stride;
            return (scattered % stride == 0 && (0..size).contains(&at)).then_some(at as usize);
        }
        let at = output * stride + tap - before;
        match ((0..size).contains(&at), self.reflect) {
            (true, _) => Some(at as usize),
            (false, true) if at < 0 => Some((-at) as usize),
            (false, true) => Some((2 * (size - 1) - at) as usize),
            (false, false) => None,
        }
    }

    /// The element of image `n`, channel `c` that a tap reads for an output; 0 where there is none.
    fn element(&self, x: &[f64], n: usize, c: usize, at: [usize; 3], tap: [usize; 3]) -> f64 {
        let [_, channels, size @ ..] = self.input;
        let mut index = n * channels + c;
        for axis in 0..3 {
            match self.source(axis, at[axis], tap[axis]) {
                Some(source) => index = index * size[axis] + source,
                None => return 0.0,
            }
        }
        x[index]
    }

    /// The patch of image `n` that `group` sees at an output position: channels, then taps.
    pub(crate) fn patch(&self, x: &[f64], n: usize, group: usize, at: [usize; 3]) -> Vec<f64> {
        let [_, _, kernel @ ..] = self.weight;
        let channels = self.channels_per_group();
        (group * channels..(group + 1) * channels)
            .flat_map(|c| steps(kernel).map(move |tap| self.element(x, n, c, at, tap)))
            .collect()
    }

    /// Where in the layer's weight each weight of each neuron is, neuron by neuron in the order of a patch.
    fn places(&self) -> Vec<usize> {
        let (neurons, channels, kernel) =
            (self.neurons_per_group(), self.channels_per_group(), self.kernel());
        let mut places = Vec::new();
        for [group, k, c] in steps([self.groups, neurons, channels]) {
            let row = if self.transposed {
                (group * channels + c) * neurons + k
            } else {
                (group * neurons + k) * channels + c
            };
            places.extend(row * kernel..(row + 1) * kernel);
        }
        places
    }

    /// A weight, neuron by neuron.
    pub(crate) fn by_neuron(&self, weight: &[f64]) -> Vec<f64> {
        self.places().into_iter().map(|place| weight[place]).collect()
    }

    /// The weight that is this neuron by neuron.
    pub(crate) fn as_weight(&self, neurons: &[f64]) -> Vec<f64> {
        let mut weight = vec![f64::NAN; neurons.len()];
        self.places().into_iter().zip(neurons).for_each(|(place, value)| weight[place] = *value);
        weight
    }
}

/// Every index of three nested loops.
fn steps([a, b, c]: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    (0..a).flat_map(move |i| (0..b).flat_map(move |j| (0..c).map(move |k| [i, j, k])))
}
