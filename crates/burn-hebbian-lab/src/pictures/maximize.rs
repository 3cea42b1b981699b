//! Inputs that a neuron responds to most, by gradient ascent.

use burn::{
    config::Config,
    tensor::{Device, Tensor, TensorData},
};

use burn_hebbian_train::SplitMix;

/// How an input is found that a neuron responds to most.
#[derive(Config, Debug, PartialEq)]
pub struct MaximizeConfig {
    /// Steps of gradient ascent.
    #[config(default = 200)]
    pub steps: usize,
    /// How far a step goes, as a share of the norm.
    #[config(default = 0.1)]
    pub rate: f64,
    /// The Euclidean norm that the input has after each step.
    #[config(default = 1.0)]
    pub norm: f64,
    /// The share of the input that each step lets decay before the norm is restored; weakens what the neuron does not ask for.
    #[config(default = 0.0)]
    pub decay: f64,
    /// Pixels by which the image is shifted (around its edges) at random in each step, at most; against high frequencies. For
    /// images that are larger than what the neuron sees.
    #[config(default = 0)]
    pub jitter: usize,
    /// The seed of the first image and of the shifts.
    #[config(default = 0)]
    pub seed: u64,
}

/// The image `[1, channels, height, width]` of constant norm that `neuron` responds to most, up to local maxima:
///
/// ```text
/// x ← r (x + rate r g / ‖g‖) / ‖·‖,   g = ∂ a_neuron(x) / ∂x,   r = norm
/// ```
///
/// from small noise. `f` gives the responses to an image: `[1, neurons]`, or `[1, neurons, …]`, of which the mean over
/// positions is taken; to see one receptive field, let the image be one. `dims` is `[channels, height, width]`. The same seed
/// gives the same image. For a linear neuron that is its weight vector.
///
/// Where nothing changes the response, as behind a rectifier that is shut, the image stays what it was.
///
/// Source: D. Erhan, Y. Bengio, A. Courville and P. Vincent, "Visualizing higher-layer features of a deep network",
/// Université de Montréal, technical report 1341 (2009).
///
/// # Panics
///
/// If `device` has no autodiff, or there is no such neuron.
pub fn maximize<const D: usize>(
    f: impl Fn(Tensor<4>) -> Tensor<D>,
    neuron: usize,
    dims: [usize; 3],
    config: &MaximizeConfig,
    device: &Device,
) -> Tensor<4> {
    assert!(device.is_autodiff(), "maximize: gradients need an autodiff device, got {device:?}");
    let mut random = SplitMix::new(config.seed);
    let mut x = noise(&mut random, dims, config.norm, &device.clone().inner());
    for _ in 0..config.steps {
        let shift = [(); 2].map(|()| random.shift(config.jitter));
        let g = gradient(&f, neuron, shifted(x.clone(), shift));
        let ascent = of_norm(shifted(g, shift.map(|by| -by)), config.rate * config.norm);
        x = of_norm(x * (1.0 - config.decay) + ascent, config.norm);
    }
    x
}

/// `∂ a / ∂x`, with `a` the mean response of the neuron.
fn gradient<const D: usize>(f: impl Fn(Tensor<4>) -> Tensor<D>, neuron: usize, x: Tensor<4>) -> Tensor<4> {
    let x = x.autodiff().require_grad();
    let responses = f(x.clone());
    let neurons = responses.dims()[1];
    assert!(neuron < neurons, "maximize: there are {neurons} neurons, got neuron {neuron}");
    let gradients = responses.narrow(1, neuron, 1).mean().backward();
    x.grad(&gradients).unwrap_or_else(|| x.inner().zeros_like())
}

/// Uniform values about 0.
fn noise(random: &mut SplitMix, dims: [usize; 3], norm: f64, device: &Device) -> Tensor<4> {
    let [channels, height, width] = dims;
    let values: Vec<f32> = (0..channels * height * width).map(|_| random.unit() - 0.5).collect();
    of_norm(Tensor::from_data(TensorData::new(values, [1, channels, height, width]), device), norm)
}

/// Scaled to this norm; zero stays zero.
fn of_norm(x: Tensor<4>, norm: f64) -> Tensor<4> {
    let [n, channels, height, width] = x.dims();
    let squares = (x.clone() * x.clone()).sum();
    // clamp: zero has no direction
    let scale = squares.clamp_min(f32::MIN_POSITIVE).sqrt().recip().mul_scalar(norm);
    x * scale.reshape([1, 1, 1, 1]).expand([n, channels, height, width])
}

/// Moved down and to the right, around the edges.
fn shifted(x: Tensor<4>, by: [isize; 2]) -> Tensor<4> {
    if by == [0, 0] { x } else { x.roll(&by, &[2, 3]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::{
        nn::conv::{Conv2d, Conv2dConfig},
        tensor::activation::relu,
    };

    fn device() -> Device {
        Device::flex().autodiff()
    }

    fn conv() -> Conv2d {
        let mut random = SplitMix::new(5);
        let weight =
            Tensor::cat((0..3).map(|_| noise(&mut random, [2, 4, 3], 2.0, &Device::flex())).collect(), 0);
        let mut conv = Conv2dConfig::new([2, 3], [4, 3]).with_bias(false).init(&device());
        conv.weight = burn::module::Param::from_tensor(weight.autodiff());
        conv
    }

    fn cosine(a: Tensor<4>, b: Tensor<4>) -> f64 {
        (of_norm(a, 1.0) * of_norm(b, 1.0)).sum().into_scalar()
    }

    fn norm(x: Tensor<4>) -> f64 {
        (x.clone() * x).sum().sqrt().into_scalar()
    }

    #[test]
    fn a_linear_neuron_asks_for_its_weight_vector() {
        let conv = conv();
        let config = MaximizeConfig::new().with_norm(3.0);
        for neuron in 0..3 {
            let x = maximize(|x| conv.forward(x), neuron, [2, 4, 3], &config, &device());
            let weight = conv.weight.val().inner().narrow(0, neuron, 1);
            let (cosine, norm) = (cosine(x.clone(), weight), norm(x));
            assert!(
                cosine > 0.99 && (norm - 3.0).abs() < 1e-4,
                "neuron {neuron}: cosine {cosine}, norm {norm}"
            );
        }
    }

    /// Behind a rectifier, over the positions of an image that is shifted: better than any of the images it began with.
    #[test]
    fn responses_of_deeper_neurons_rise() {
        let conv = conv();
        let deep = Conv2dConfig::new([3, 2], [3, 3]).init(&device());
        let f = |x| deep.forward(relu(conv.forward(x)));
        let config = MaximizeConfig::new().with_jitter(2).with_decay(0.01);
        let response = |x: Tensor<4>| f(x.autodiff()).inner().narrow(1, 0, 1).mean().into_scalar::<f64>();
        let found = response(maximize(f, 0, [2, 12, 11], &config, &device()));
        let mut random = SplitMix::new(1);
        let images = (0..100).map(|_| noise(&mut random, [2, 12, 11], 1.0, &Device::flex()));
        let best = images.map(response).fold(f64::MIN, f64::max);
        assert!(found > best, "{found}, {best}");
    }

    #[test]
    fn the_seed_decides() {
        let conv = conv();
        let run = |seed| {
            let config = MaximizeConfig::new().with_steps(3).with_jitter(1).with_seed(seed);
            let x = maximize(|x| conv.forward(x), 1, [2, 5, 5], &config, &device());
            x.into_data().iter().collect::<Vec<f32>>()
        };
        assert!(run(1) == run(1) && run(1) != run(2));
    }

    #[test]
    fn what_nothing_changes_stays() {
        let conv = conv();
        let config = MaximizeConfig::new().with_steps(5);
        let shut = |x| relu(conv.forward(x) - 100.0);
        let still = maximize(shut, 0, [2, 4, 3], &config, &device());
        let start = maximize(shut, 0, [2, 4, 3], &config.with_steps(0), &device());
        assert!(cosine(still, start) > 0.9999);
    }

    #[test]
    #[should_panic(expected = "maximize: there are 3 neurons, got neuron 3")]
    fn neurons_must_exist() {
        let conv = conv();
        maximize(|x| conv.forward(x), 3, [2, 4, 3], &MaximizeConfig::new(), &device());
    }
}
