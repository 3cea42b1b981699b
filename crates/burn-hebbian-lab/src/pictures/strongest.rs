//! The patches that neurons respond to most strongly.

use std::{cmp::Reverse, collections::BinaryHeap};

use burn::tensor::{Tensor, TensorData};

/// What a neuron at one position sees of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceptiveField {
    /// Its height and width.
    pub size: [usize; 2],
    /// Pixels from one position to the next.
    pub stride: [usize; 2],
    /// Pixels that it begins above and to the left of the image; what lies outside counts as 0.
    pub padding: [usize; 2],
}

impl ReceptiveField {
    /// Of a layer alone: its kernel, stride and padding.
    pub fn new(size: [usize; 2], stride: [usize; 2], padding: [usize; 2]) -> Self {
        Self { size, stride, padding }
    }

    /// Of a layer upon this one, in pixels of the same image.
    ///
    /// ```
    /// use burn_hebbian_lab::pictures::strongest::ReceptiveField;
    ///
    /// let conv1 = ReceptiveField::new([5, 5], [1, 1], [2, 2]);
    /// let pool = ReceptiveField::new([4, 4], [2, 2], [1, 1]);
    /// let conv2 = ReceptiveField::new([3, 3], [1, 1], [1, 1]);
    /// let field = conv1.under(pool).under(conv2);
    /// assert_eq!(field, ReceptiveField::new([12, 12], [2, 2], [5, 5]));
    /// ```
    pub fn under(self, above: Self) -> Self {
        let each = |f: &dyn Fn(usize) -> usize| [f(0), f(1)];
        Self {
            size: each(&|axis| self.size[axis] + (above.size[axis] - 1) * self.stride[axis]),
            stride: each(&|axis| self.stride[axis] * above.stride[axis]),
            padding: each(&|axis| self.padding[axis] + above.padding[axis] * self.stride[axis]),
        }
    }
}

/// The mean of the `count` patches that each neuron responds to most strongly, each weighted by its response:
/// `[neurons, channels, height, width]`.
///
/// ```text
/// p̄_k = Σ_i a_ki p_i / Σ_i a_ki
/// ```
///
/// over the patches with the largest `a_k`, responses below 0 counting as 0; where all are 0, and for a neuron that saw
/// fewer patches, the mean is of those there are. `batches` are images `[n, channels, height, width]`, taken one at a time;
/// `responses` gives those to a batch, `[n, neurons, rows, columns]`, at positions that see `field`. Equal responses keep the
/// patch that came first. No more than `count` patches a neuron are kept.
///
/// # Panics
///
/// If there are no images, `count` is 0, or batches differ in neurons or channels.
pub fn strongest_mean(
    batches: impl IntoIterator<Item = Tensor<4>>,
    responses: impl Fn(Tensor<4>) -> Tensor<4>,
    field: ReceptiveField,
    count: usize,
) -> Tensor<4> {
    assert!(count > 0, "strongest patches: at least 1 patch is needed, got 0");
    let (mut tops, mut device, mut channels, mut seen) = (Vec::new(), None, 0, 0);
    for images in batches {
        channels = images.dims()[1];
        device.get_or_insert(images.device());
        let images_on_host = Images::new(images.clone());
        seen = add_batch(&mut tops, responses(images), seen, count);
        tops.iter_mut().for_each(|top: &mut Top| top.cut(&images_on_host, field));
    }
    let device = device.expect("strongest patches: at least 1 batch of images is needed");
    let ([height, width], neurons) = (field.size, tops.len());
    let means: Vec<f32> = tops.iter().flat_map(|top| top.mean(channels * height * width)).collect();
    Tensor::from_data(TensorData::new(means, [neurons, channels, height, width]), &device)
}

/// Offers a batch's responses to the neurons; the number of patches that were seen until now.
fn add_batch(tops: &mut Vec<Top>, responses: Tensor<4>, seen: u64, count: usize) -> u64 {
    let [n, neurons, rows, columns] = responses.dims();
    if tops.is_empty() {
        tops.resize_with(neurons, Top::default);
    }
    assert!(tops.len() == neurons, "strongest patches: {neurons} neurons responded, {} before", tops.len());
    let positions = rows * columns;
    for (i, response) in responses.into_data().iter::<f32>().enumerate() {
        let (image, neuron, position) = (i / positions / neurons, i / positions % neurons, i % positions);
        let place = Place { image, row: position / columns, column: position % columns };
        let order = seen + (image * positions + position) as u64;
        tops[neuron].offer(Patch { response, order, pixels: Pixels::At(place) }, count);
    }
    seen + (n * positions) as u64
}

/// The strongest patches of one neuron.
#[derive(Default)]
struct Top(BinaryHeap<Reverse<Patch>>);

impl Top {
    fn offer(&mut self, patch: Patch, count: usize) {
        if self.0.len() < count {
            self.0.push(Reverse(patch));
        } else if self.0.peek().is_some_and(|Reverse(weakest)| patch > *weakest) {
            self.0.pop();
            self.0.push(Reverse(patch));
        }
    }

    /// Cuts out what the last batch added, before its images go.
    fn cut(&mut self, images: &Images, field: ReceptiveField) {
        let cut = |Reverse(patch): Reverse<Patch>| {
            let pixels = match patch.pixels {
                Pixels::At(place) => Pixels::Cut(images.cut(place, field)),
                cut => cut,
            };
            Reverse(Patch { pixels, ..patch })
        };
        self.0 = std::mem::take(&mut self.0).into_iter().map(cut).collect();
    }

    /// The weighted mean of the patches, of `len` values.
    fn mean(&self, len: usize) -> Vec<f32> {
        let patches = || self.0.iter().map(|Reverse(patch)| patch);
        let total: f64 = patches().map(|patch| f64::from(patch.response.max(0.0))).sum();
        let weight = |patch: &Patch| match total {
            0.0 => 1.0 / self.0.len() as f64,
            total => f64::from(patch.response.max(0.0)) / total,
        };
        let mut mean = vec![0.0; len];
        for patch in patches() {
            if let Pixels::Cut(pixels) = &patch.pixels {
                mean.iter_mut()
                    .zip(pixels)
                    .for_each(|(mean, pixel)| *mean += weight(patch) * f64::from(*pixel));
            }
        }
        mean.into_iter().map(|value| value as f32).collect()
    }
}

/// A patch with a neuron's response to it; the order is by response, then the earlier before the later.
struct Patch {
    response: f32,
    order: u64,
    pixels: Pixels,
}

enum Pixels {
    /// In the batch that is being looked at.
    At(Place),
    /// Channel by channel.
    Cut(Vec<f32>),
}

#[derive(Clone, Copy)]
struct Place {
    image: usize,
    row: usize,
    column: usize,
}

impl Ord for Patch {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.response.total_cmp(&other.response).then(other.order.cmp(&self.order))
    }
}

impl PartialOrd for Patch {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Patch {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Patch {}

/// The images of a batch, on the host.
struct Images {
    values: Vec<f32>,
    channels: usize,
    size: [usize; 2],
}

impl Images {
    fn new(images: Tensor<4>) -> Self {
        let [_, channels, height, width] = images.dims();
        Self { values: images.into_data().iter().collect(), channels, size: [height, width] }
    }

    fn cut(&self, place: Place, field: ReceptiveField) -> Vec<f32> {
        let [height, width] = field.size;
        let pixel = |i: usize| {
            let (channel, y, x) = (i / (height * width), i / width % height, i % width);
            let y = (place.row * field.stride[0] + y).checked_sub(field.padding[0])?;
            let x = (place.column * field.stride[1] + x).checked_sub(field.padding[1])?;
            let inside = y < self.size[0] && x < self.size[1];
            let row = (place.image * self.channels + channel) * self.size[0] + y;
            inside.then(|| self.values[row * self.size[1] + x])
        };
        // outside the image there is nothing
        (0..self.channels * height * width).map(|i| pixel(i).unwrap_or(0.0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::{
        module::Param,
        nn::{
            PaddingConfig2d,
            conv::{Conv2d, Conv2dConfig},
        },
        tensor::Device,
    };
    use burn_hebbian_train::SplitMix;

    /// Two patterns of two channels, 3×2; the second is no scaled copy of the first.
    fn patterns() -> [Vec<f32>; 2] {
        let mut random = SplitMix::new(3);
        [(); 2].map(|()| (0..12).map(|_| random.unit() - 0.5).collect())
    }

    /// A convolution whose filters are the patterns, at stride 2 with a padding of 1.
    fn conv() -> Conv2d {
        let config = Conv2dConfig::new([2, 2], [3, 2]).with_stride([2, 2]).with_bias(false);
        let mut conv = config.with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1)).init(&Device::flex());
        let weight = TensorData::new(patterns().concat(), [2, 2, 3, 2]);
        conv.weight = Param::from_data(weight, &Device::flex());
        conv
    }

    const FIELD: ReceptiveField = ReceptiveField { size: [3, 2], stride: [2, 2], padding: [1, 1] };

    /// A faint image with a pattern times `scale` where position `[row, column]` looks.
    fn planted(pattern: usize, scale: f32, [row, column]: [usize; 2], seed: u64) -> Tensor<4> {
        let mut random = SplitMix::new(seed);
        let mut values: Vec<f32> = (0..2 * 8 * 9).map(|_| 0.001 * random.unit()).collect();
        for (i, value) in patterns()[pattern].iter().enumerate() {
            let (channel, y, x) = (i / 6, 2 * row + i / 2 % 3, 2 * column + i % 2);
            if let (Some(y), Some(x)) = (y.checked_sub(1), x.checked_sub(1)) {
                values[(channel * 8 + y) * 9 + x] = scale * value;
            }
        }
        Tensor::from_data(TensorData::new(values, [1, 2, 8, 9]), &Device::flex())
    }

    fn batches() -> Vec<Tensor<4>> {
        let at = [[1, 1], [2, 3], [3, 1], [1, 4]];
        let image = |i: usize| planted(i % 2, 1.0 + (i / 2) as f32, at[i % 4], i as u64);
        let batch = |i: usize| Tensor::cat(vec![image(3 * i), image(3 * i + 1), image(3 * i + 2)], 0);
        (0..4).map(batch).collect()
    }

    fn rows(means: Tensor<4>) -> Vec<Vec<f32>> {
        let len = means.dims()[1..].iter().product();
        let values: Vec<f32> = means.into_data().iter().collect();
        values.chunks(len).map(<[f32]>::to_vec).collect()
    }

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    }

    #[test]
    fn planted_patterns_are_found() {
        let conv = conv();
        let means = rows(strongest_mean(batches(), |images| conv.forward(images), FIELD, 4));
        for (mean, pattern) in means.iter().zip(patterns()) {
            assert!(cosine(mean, &pattern) > 0.999, "{mean:?}, {pattern:?}");
        }
    }

    /// The strongest of each was planted six times as strong; the mean of two weighs 6 and 5 by themselves.
    #[test]
    fn patches_are_weighted_by_their_responses() {
        let conv = conv();
        let scale = |count| {
            let means = rows(strongest_mean(batches(), |images| conv.forward(images), FIELD, count));
            means[0].iter().zip(&patterns()[0]).map(|(mean, pixel)| mean / pixel).sum::<f32>() / 12.0
        };
        assert!((scale(1) - 6.0).abs() < 0.01, "{}", scale(1));
        assert!((scale(2) - (36.0 + 25.0) / 11.0).abs() < 0.01, "{}", scale(2));
    }

    /// At the corner a row and a column lie outside.
    #[test]
    fn outside_the_image_there_is_nothing() {
        let image = Tensor::<4>::ones([1, 2, 8, 9], &Device::flex());
        let only_corner = |images: Tensor<4>| {
            let mut values = vec![-1.0; 4 * 5];
            values[0] = 1.0;
            Tensor::from_data(TensorData::new(values, [1, 1, 4, 5]), &images.device())
        };
        let mean = rows(strongest_mean([image], only_corner, FIELD, 1)).remove(0);
        assert_eq!(mean, [0.0, 0.0, 0.0, 1.0, 0.0, 1.0].repeat(2));
    }

    /// The first of equal patches, and the plain mean where no response is above 0.
    #[test]
    fn equals_and_silence() {
        let image = |value: f32| Tensor::<4>::full([1, 1, 1, 1], value, &Device::flex());
        let field = ReceptiveField::new([1, 1], [1, 1], [0, 0]);
        let mean = |response: f32, count| {
            let batches = [image(1.0), image(2.0), image(6.0)];
            rows(strongest_mean(batches, |images| images.full_like(response), field, count)).remove(0)[0]
        };
        assert_eq!((mean(1.0, 1), mean(1.0, 2), mean(-1.0, 3), mean(-1.0, 9)), (1.0, 1.5, 3.0, 3.0));
    }
}
