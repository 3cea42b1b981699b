//! Batch normalization that local training and several replicas can share.

use std::sync::Arc;

use crate::{
    channelwise::{self, Affine},
    gradient::{is_covered, with_gradient},
    observe::{Call, Seat, register_running},
    precision::{is_learnable, whole},
    replicas::AllReduce,
};
use burn::{
    module::{
        Content, Devices, DisplaySettings, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper,
        ModuleVisitor, Param, ParamId, RunningState,
    },
    nn::BatchNorm,
    tensor::{Device, Tensor, activation::relu, module::batch_norm_train},
};

/// Burn's [`BatchNorm`], with what local training and several replicas need beside it.
///
/// `y = γ (x − μ) / √(σ² + ε) + β` for every channel, over images and positions (Ioffe & Szegedy 2015, "Batch
/// Normalization", arXiv:1502.03167).
///
/// - It takes the statistics of the batch on plain devices too, while an optimizer observes the pass; Burn's own does so
///   on autodiff devices alone, so that in a purely local net its running statistics would never move.
/// - Once a plan has bound the model, its running statistics move in a step of the optimizer alone, once a step, by the
///   mean of what the step's passes ask for: neither an unobserved pass moves them nor a pass whose step is refused. Until
///   then they move in every forward pass in training mode on an autodiff device, as Burn's do.
/// - With [`synchronized`](Self::synchronized), the statistics are those of the batches of all replicas together, and
///   gradients follow: several devices then compute what one device computes with the whole batch.
///
/// [`Module::freeze`] makes it take its running statistics. It has no path level of its own: parameters keep the paths,
/// and records the format, of Burn's.
///
/// ```
/// use burn::{nn::BatchNormConfig, tensor::Device};
/// use burn_hebbian_nn::SyncBatchNorm;
///
/// let norm = SyncBatchNorm::new(BatchNormConfig::new(96).init(&Device::flex()));
/// ```
#[derive(Debug)]
pub struct SyncBatchNorm {
    norm: BatchNorm,
    replicas: Option<Arc<dyn AllReduce>>,
    rescaled: bool,
    /// Whether an optimizer has bound it.
    bound: bool,
    seat: Seat,
}

impl SyncBatchNorm {
    /// Wraps a batch norm; of one replica, until it is [`synchronized`](Self::synchronized).
    pub fn new(norm: BatchNorm) -> Self {
        Self { norm, replicas: None, rescaled: false, bound: false, seat: Seat::default() }
    }

    /// With the statistics of all replicas. Each layer needs replicas of its own, or all of them must run their layers
    /// in the same order.
    pub fn synchronized(self, replicas: Arc<dyn AllReduce>) -> Self {
        Self { replicas: Some(replicas), ..self }
    }

    /// With channels that keep the proportions of their variances, which have the mean 1: the output times
    /// `√((σ² + ε) / (mean of σ² over channels + ε))`.
    ///
    /// Source: G. Lagani et al., *Neurocomputing* 595 (2024), doi:10.1016/j.neucom.2024.127867, the norms behind the upper
    /// Hebbian layers.
    pub fn rescaled(self) -> Self {
        Self { rescaled: true, ..self }
    }

    /// Burn's batch norm.
    pub fn norm(&self) -> &BatchNorm {
        &self.norm
    }

    /// `[n, channels, …]` → the same. Half precision is normalized in `f32`: sums and counts of many positions are beyond it.
    ///
    /// One value a channel has no variance: such an input is normalized by the running statistics, and does not move them.
    ///
    /// # Panics
    ///
    /// If the channels do not fit, or the other replicas do not come.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.forward_then(input, Then::nothing())
    }

    /// [`forward`](Self::forward), and what follows it: on flex, outside the autodiff graph, in the same pass over memory.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), or if what is added does not have the shape of the input.
    pub fn forward_then<const D: usize>(&self, input: Tensor<D>, then: Then<D>) -> Tensor<D> {
        let [channels] = self.norm.gamma.lazy_shape().dims();
        let dims = input.dims();
        assert!(D > 1 && dims[1] == channels, "batch norm: expected [n, {channels}, …], got {dims:?}");
        then.check(dims);
        let values = dims[0] * dims[2..].iter().product::<usize>();
        if !self.trains(&input.device()) || values < 2 && self.replicas.is_none() {
            return self.infer(input, then);
        }
        let dtype = input.dtype();
        self.normalize(whole(input), then).cast(dtype)
    }

    /// By the statistics of the batch.
    fn normalize<const D: usize>(&self, input: Tensor<D>, then: Then<D>) -> Tensor<D> {
        let Normalized { output, mean, variance } = match &self.replicas {
            Some(replicas) => self.over(|part| total(replicas, part), input).then(then),
            None if self.is_channelwise(&input) => self.over_channels(input, then),
            // nothing is transposed on the way, as it is in Burn's
            None if is_learnable(&input) => self.over(|part| part, input).then(then),
            None => self.over_one(input).then(then),
        };
        for (running, seen) in [(&self.norm.running_mean, mean), (&self.norm.running_var, variance)] {
            self.move_running(running, seen);
        }
        output
    }

    /// Whether input and parameters are where norms are computed channel by channel.
    fn is_channelwise<const D: usize>(&self, input: &Tensor<D>) -> bool {
        channelwise::covers(input)
            && [&self.norm.gamma, &self.norm.beta].iter().all(|param| channelwise::covers(&param.val()))
    }

    /// By the statistics of the batch, in two passes over memory.
    fn over_channels<const D: usize>(&self, input: Tensor<D>, then: Then<D>) -> Normalized<D> {
        let [mean, variance] = channelwise::statistics(&input);
        let affine = self.affine(mean.clone(), variance.clone(), then.bounds);
        Normalized { output: channelwise::apply(input, affine, then.added), mean, variance }
    }

    /// What the norm does to each value of a channel with this mean and variance.
    fn affine(&self, mean: Tensor<1>, variance: Tensor<1>, bounds: [f32; 2]) -> Affine {
        let numbers = |tensor: Tensor<1>| tensor.into_data().iter::<f32>().collect::<Vec<_>>();
        let smoothed = variance + self.norm.epsilon;
        let (mut scale, mut shift) = (self.norm.gamma.val() / smoothed.clone().sqrt(), self.norm.beta.val());
        if self.rescaled {
            let rescaling = rescaling(smoothed);
            (scale, shift) = (scale * rescaling.clone(), shift * rescaling);
        }
        Affine { mean: numbers(mean), scale: numbers(scale), shift: numbers(shift), bounds }
    }

    /// Moves a running statistic towards what was seen, or lets the optimizer move it.
    fn move_running(&self, running: &RunningState<Tensor<1>>, seen: Tensor<1>) {
        let known = || running.value_sync().to_device(&seen.device()).cast(seen.dtype());
        let momentum = self.norm.momentum;
        match self.seat.pass() {
            Some((pass, _)) => {
                let shift = (seen.clone() - known()) * momentum;
                pass.report_running(id_of(running), shift.inner());
            }
            None if self.bound => {}
            None => {
                let dtype = running.value().dtype();
                running.update((known() * (1.0 - momentum) + seen * momentum).cast(dtype));
            }
        }
    }

    /// Whether the layer takes the statistics of the batch.
    fn trains(&self, device: &Device) -> bool {
        self.norm.training.is_enabled() && (device.is_autodiff() || self.seat.pass().is_some())
    }

    fn register(&self) -> Call {
        register_running(|| [id_of(&self.norm.running_mean), id_of(&self.norm.running_var)])
    }

    /// What the layer hears while it is mapped, taken to heart.
    fn called(mut self) -> Self {
        let Call { seat, owner, .. } = self.register();
        if let Some(seat) = seat {
            self.seat = seat;
        }
        if owner.is_some() {
            // from here on clones of before are others
            self.bound = true;
            return self.clone();
        }
        self
    }

    /// By the running statistics.
    fn infer<const D: usize>(&self, input: Tensor<D>, then: Then<D>) -> Tensor<D> {
        let device = input.device();
        let running = |state: Tensor<1>| state.to_device(&device);
        let [mean, variance] =
            [&self.norm.running_mean, &self.norm.running_var].map(|state| running(state.value()));
        if self.is_channelwise(&input) && channelwise::covers(&mean) {
            return channelwise::apply(input, self.affine(mean, variance, then.bounds), then.added);
        }
        let output = burn::tensor::module::batch_norm(
            input,
            self.norm.gamma.val(),
            self.norm.beta.val(),
            mean,
            variance.clone(),
            self.norm.epsilon,
        );
        then.follow(self.rescale(output, variance))
    }

    /// The output, its channels in the proportions of their variances if they are to keep these.
    fn rescale<const D: usize>(&self, output: Tensor<D>, variance: Tensor<1>) -> Tensor<D> {
        if !self.rescaled {
            return output;
        }
        let mut per_channel = [1; D];
        per_channel[1] = variance.dims()[0];
        output * rescaling(variance + self.norm.epsilon).reshape(per_channel)
    }

    fn over_one<const D: usize>(&self, input: Tensor<D>) -> Normalized<D> {
        let [gamma, beta] = [&self.norm.gamma, &self.norm.beta].map(|param| param.val().cast(input.dtype()));
        let result = batch_norm_train(input, gamma, beta, self.norm.epsilon);
        let (mean, variance) = (result.mean.detach(), result.variance.detach());
        Normalized { output: self.rescale(result.output, variance.clone()), mean, variance }
    }

    /// With sums that `total` makes of this replica's: the mean first, then the deviations from it, so that nothing
    /// cancels.
    fn over<const D: usize>(
        &self,
        total: impl Fn(Tensor<1>) -> Tensor<1>,
        input: Tensor<D>,
    ) -> Normalized<D> {
        let dims = input.dims();
        let channels = dims[1];
        let mut per_channel = [1; D];
        per_channel[1] = channels;
        let positions = dims[2..].iter().product();
        let sum = |values: Tensor<D>| {
            let values: Tensor<3> = values.reshape([dims[0], channels, positions]);
            values.sum_dim(2).sum_dim(0).reshape([channels])
        };
        let count = Tensor::full([1], (dims[0] * positions) as f64, (&input.device(), input.dtype()));
        let sums = total(Tensor::cat(vec![sum(input.clone()), count], 0));
        let count = sums.clone().narrow(0, channels, 1);
        let mean = sums.narrow(0, 0, channels) / count.clone();
        let centered = input - mean.clone().reshape(per_channel);
        let variance = total(sum(centered.clone() * centered.clone())) / count;
        let [gamma, beta] =
            [&self.norm.gamma, &self.norm.beta].map(|param| param.val().cast(variance.dtype()));
        let scale = gamma / (variance.clone() + self.norm.epsilon).sqrt();
        let output = centered * scale.reshape(per_channel) + beta.reshape(per_channel);
        let output = self.rescale(output, variance.clone());
        Normalized { output, mean: mean.detach(), variance: variance.detach() }
    }
}

/// An output and the statistics it was normalized by, `[channels]`.
struct Normalized<const D: usize> {
    output: Tensor<D>,
    mean: Tensor<1>,
    variance: Tensor<1>,
}

impl<const D: usize> Normalized<D> {
    fn then(self, then: Then<D>) -> Self {
        Self { output: then.follow(self.output), ..self }
    }
}

/// What gives channels of unit variance the proportions that they had.
fn rescaling(smoothed: Tensor<1>) -> Tensor<1> {
    let mean = smoothed.clone().mean();
    (smoothed / mean).sqrt()
}

/// What follows a norm: an addition, then bounds.
///
/// ```
/// use burn::{nn::BatchNormConfig, tensor::{Device, Tensor}};
/// use burn_hebbian_nn::{SyncBatchNorm, Then};
///
/// let device = Device::flex();
/// let norm = SyncBatchNorm::new(BatchNormConfig::new(1).init(&device));
/// let x = Tensor::<3>::from_data([[[-3.0, 0.0, 8.0]]], &device);
/// let y = norm.forward_then(x.clone(), Then::add(x).and_relu6()); // by the running statistics: mean 0, variance 1
/// y.into_data().assert_eq(&[[[0.0f32, 0.0, 6.0]]].into(), true);
/// ```
#[derive(Debug, Clone)]
pub struct Then<const D: usize> {
    added: Option<Tensor<D>>,
    bounds: [f32; 2],
}

impl<const D: usize> Then<D> {
    /// Nothing.
    pub fn nothing() -> Self {
        Self { added: None, bounds: [f32::NEG_INFINITY, f32::INFINITY] }
    }

    /// ReLU, `max(y, 0)`.
    pub fn relu() -> Self {
        Self::nothing().and_relu()
    }

    /// ReLU6, `min(max(y, 0), 6)`.
    pub fn relu6() -> Self {
        Self::nothing().and_relu6()
    }

    /// `y + other`, a residual connection.
    pub fn add(other: Tensor<D>) -> Self {
        Self { added: Some(other), ..Self::nothing() }
    }

    /// Then ReLU.
    pub fn and_relu(self) -> Self {
        Self { bounds: [0.0, f32::INFINITY], ..self }
    }

    /// Then ReLU6.
    pub fn and_relu6(self) -> Self {
        Self { bounds: [0.0, 6.0], ..self }
    }

    fn check(&self, dims: [usize; D]) {
        let added = self.added.as_ref().map_or(dims, |added| added.dims());
        assert!(added == dims, "batch norm: {added:?} cannot be added to an output of {dims:?}");
    }

    /// By operations of their own.
    fn follow(self, output: Tensor<D>) -> Tensor<D> {
        let output = match self.added {
            Some(added) => {
                let added = added.cast(output.dtype());
                output + added
            }
            None => output,
        };
        match self.bounds {
            [low, high] if high < f32::INFINITY => output.clamp(low, high),
            [0.0, _] => relu(output),
            _ => output,
        }
    }
}

/// The sum over all replicas. All of their losses depend on it: so its gradient is the sum of theirs.
fn total(replicas: &Arc<dyn AllReduce>, part: Tensor<1>) -> Tensor<1> {
    if !part.is_autodiff() {
        return meet(&**replicas, part);
    }
    let device = part.device();
    assert!(
        is_covered(&device),
        "synchronized batch norm: {device:?} is of a backend that is no feature here"
    );
    let sum = meet(&**replicas, part.clone().inner());
    let replicas = replicas.clone();
    with_gradient(part, sum, move |gradient| meet(&*replicas, gradient))
}

fn meet(replicas: &dyn AllReduce, part: Tensor<1>) -> Tensor<1> {
    match replicas.sum(part) {
        Ok(sum) => sum,
        Err(error) => panic!("synchronized batch norm: {error}"),
    }
}

impl Clone for SyncBatchNorm {
    /// Once an optimizer has bound it, a clone has running statistics of its own: those of a best model that is kept, or of
    /// an average, do not move on with the training. Before, clones share them, as Burn's do, so that threads add to them.
    fn clone(&self) -> Self {
        let mut norm = self.norm.clone();
        if self.bound {
            norm.running_mean = apart(&norm.running_mean);
            norm.running_var = apart(&norm.running_var);
        }
        let replicas = self.replicas.clone();
        Self { norm, replicas, rescaled: self.rescaled, bound: self.bound, seat: Seat::default() }
    }
}

/// A running statistic that nobody shares.
fn apart(running: &RunningState<Tensor<1>>) -> RunningState<Tensor<1>> {
    RunningState::with_id(id_of(running), running.value_sync())
}

/// The id that a running statistic has in a visit.
fn id_of(running: &RunningState<Tensor<1>>) -> ParamId {
    struct Id(Option<ParamId>);
    impl ModuleVisitor for Id {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 = Some(param.id);
        }
    }
    let mut id = Id(None);
    running.visit(&mut id);
    id.0.expect("a running statistic is visited")
}

impl Module for SyncBatchNorm {
    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.register();
        self.norm.visit(visitor);
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        let called = self.called();
        Self { norm: called.norm.map(mapper), ..called }
    }

    fn collect_devices(&self, devices: Devices) -> Devices {
        self.norm.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        Self { norm: self.norm.fork(device), ..self }
    }

    fn to_device(self, device: &Device) -> Self {
        Self { norm: self.norm.to_device(device), ..self }
    }

    fn train(self) -> Self {
        Self { norm: self.norm.train(), ..self }
    }

    fn valid(&self) -> Self {
        Self { norm: self.norm.valid(), ..self.clone() }
    }

    fn materialize(self) -> Self {
        Self { norm: self.norm.materialize(), ..self }
    }
}

impl ModuleDisplayDefault for SyncBatchNorm {
    fn content(&self, content: Content) -> Option<Content> {
        content
            .set_top_level_type("SyncBatchNorm")
            .add("norm", &self.norm)
            .add_debug_attribute("replicas", &self.replicas)
            .optional()
    }
}

impl ModuleDisplay for SyncBatchNorm {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }
}

#[cfg(test)]
mod tests {
    use burn::{nn::BatchNormConfig, tensor::Distribution};

    use super::*;

    fn close<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> bool {
        (a - b).abs().max().into_scalar::<f32>() < 1e-5
    }

    /// Channel by channel as by operations of their own: statistics of the batch and running ones, all or some channels of a
    /// tensor, alone or shared, with whatever follows.
    #[test]
    fn norms_channel_by_channel_are_norms() {
        let device = Device::flex();
        let mut norm = BatchNormConfig::new(5).init(&device);
        let numbers = |start: f32| Tensor::<1>::from_floats([start, 0.5, -2.0, 1.0, 3.0], &device);
        norm.gamma = Param::from_tensor(numbers(1.5));
        norm.beta = Param::from_tensor(numbers(-0.5));
        norm.running_mean = RunningState::new(numbers(0.25));
        norm.running_var = RunningState::new(numbers(2.0).abs());
        let all = Tensor::<4>::random([3, 7, 6, 4], Distribution::Normal(2.0, 3.0), &device);
        let other = Tensor::<4>::random([3, 5, 6, 4], Distribution::Default, &device);
        for norm in [SyncBatchNorm::new(norm.clone()), SyncBatchNorm::new(norm).rescaled()] {
            for start in [0, 2] {
                let x = all.clone().narrow(1, start, 5);
                assert!(norm.is_channelwise(&x));
                let thens =
                    || [Then::nothing(), Then::relu(), Then::relu6(), Then::add(other.clone()).and_relu()];
                for (then, same) in thens().into_iter().zip(thens()) {
                    let expected = norm.over(|part| part, x.clone()).then(same.clone());
                    let got = norm.over_channels(x.clone(), then.clone());
                    assert!(close(got.output, expected.output));
                    assert!(close(got.mean, expected.mean) && close(got.variance, expected.variance));
                    let mean = norm.norm.running_mean.value().reshape([1, 5, 1, 1]);
                    let variance = norm.norm.running_var.value();
                    let scale = norm.norm.gamma.val() / (variance.clone() + norm.norm.epsilon).sqrt();
                    let plain = (x.clone() - mean) * scale.reshape([1, 5, 1, 1])
                        + norm.norm.beta.val().reshape([1, 5, 1, 1]);
                    let expected = same.follow(norm.rescale(plain, variance));
                    assert!(close(norm.forward_then(x.clone(), then.clone()), expected.clone()));
                    // nobody else holds this one: in place
                    let unshared = Tensor::from_data(x.clone().into_data(), &device);
                    assert!(close(norm.forward_then(unshared, then), expected));
                }
            }
        }
    }
}
