//! STDP that a reward decides about.

use burn::tensor::{Tensor, TensorData};
use burn_hebbian::{
    nn::Synapses,
    prelude::*,
    rules::{Bounds, Pairs, Span, Timing, Trace},
    spikes::{
        Train,
        stdp::{Eligibility, Traces},
    },
};

use super::{
    case::{Case, device},
    layers::{Subject, Task, delta, with_layer},
    pairs::{end_to_end, trace_pairs},
};

pub(super) fn mstdp(case: &Case) -> Result<(), String> {
    with_layer(case, Modulated(case, trace_pairs(case, Trace::exponential)?))
}

pub(super) fn mstdpet(case: &Case) -> Result<(), String> {
    with_layer(case, Traced(case, trace_pairs(case, Trace::exponential)?))
}

fn rule(pairs: &Pairs) -> Rule {
    Rule::stdp(1.0, 1.0, 0.0, 0.0).with_timing(Timing::Pairs(*pairs)).with_bounds(Bounds::None)
}

/// One step of one or all images: spikes and traces of both sides.
#[derive(Clone)]
struct Moment<const X: usize> {
    pre: Tensor<X>,
    post: Tensor<X>,
    traces: Traces<X>,
}

impl<const X: usize> Moment<X> {
    fn image(&self, n: usize) -> Self {
        let of = |values: &Tensor<X>| values.clone().narrow(0, n, 1);
        let traces = Traces { pre: of(&self.traces.pre), post: of(&self.traces.post) };
        Self { pre: of(&self.pre), post: of(&self.post), traces }
    }

    fn teach(&self, layer: &dyn Synapses<X>) {
        layer.learn_from(self.traces.pre.clone(), self.post.clone(), Span::potentiation(1));
        layer.learn_from(self.pre.clone(), self.traces.post.clone(), Span::depression(1));
    }
}

/// All steps, with their traces compared.
fn moments<const X: usize>(case: &Case, pairs: &Pairs) -> Result<Vec<Moment<X>>, String> {
    let [pre, post] = [case.train::<X>("s_pre")?, case.train::<X>("s_post")?];
    let mut traces = Traces::zeros(&pre.at(0), &post.at(0));
    let mut moments = Vec::new();
    for t in 0..pre.steps() {
        traces = traces.step(pairs, pre.at(t), post.at(t));
        moments.push(Moment { pre: pre.at(t), post: post.at(t), traces: traces.clone() });
    }
    case.compare_stacked("trace_pre", moments.iter().map(|moment| moment.traces.pre.clone()).collect())?;
    case.compare_stacked("trace_post", moments.iter().map(|moment| moment.traces.post.clone()).collect())?;
    Ok(moments)
}

/// The reward of a step meets the step before it.
struct Modulated<'a>(&'a Case, Pairs);

impl Task for Modulated<'_> {
    fn on<const X: usize>(self, layer: impl Subject<X>) -> Result<(), String> {
        let Self(case, pairs) = self;
        let (rule, moments) = (rule(&pairs), moments::<X>(case, &pairs)?);
        let images = moments[0].pre.dims()[0];
        let mut eligibility = Vec::new();
        for moment in &moments {
            for n in 0..images {
                let moment = moment.image(n);
                eligibility.push(delta(&layer, &rule, Signals::none(), |layer| moment.teach(layer))?);
            }
        }
        case.compare("eligibility", end_to_end(eligibility))?;
        let rewards: Vec<f32> = case.values("reward")?.into_iter().map(|reward| reward as f32).collect();
        let third_factor = |rewards: &[f32]| {
            let values = TensorData::new(rewards.to_vec(), [rewards.len(), 1]);
            Signals::none().with_third_factor(Tensor::from_data(values, &device()))
        };
        let nothing = Moment {
            pre: moments[0].pre.zeros_like(),
            post: moments[0].post.zeros_like(),
            traces: Traces::zeros(&moments[0].pre, &moments[0].post),
        };
        let mut steps = Vec::new();
        for (before, rewards) in [&nothing].into_iter().chain(&moments).zip(rewards.chunks(images)) {
            steps.push(delta(&layer, &rule, third_factor(rewards), |layer| before.teach(layer))?);
        }
        case.compare("dw_t", end_to_end(steps))?;
        // all at once: every step but the last, each with the reward of the next
        let all = &moments[..moments.len() - 1];
        let pre = Train::of_steps(all.iter().map(|moment| moment.pre.clone()).collect());
        let post = Train::of_steps(all.iter().map(|moment| moment.post.clone()).collect());
        let whole = delta(&layer, &rule, third_factor(&rewards[images..]), |layer| {
            layer.learn_from(pre.values(), post.values(), pre.span());
        })?;
        case.compare("dw", whole)
    }
}

/// The reward of a step meets traces of all steps before it.
struct Traced<'a>(&'a Case, Pairs);

impl Task for Traced<'_> {
    fn on<const X: usize>(self, layer: impl Subject<X>) -> Result<(), String> {
        let Self(case, pairs) = self;
        let (rule, moments) = (rule(&pairs), moments::<X>(case, &pairs)?);
        let flat = |data: &TensorData| {
            let values: Vec<f32> = data.iter::<f32>().collect();
            Tensor::<1>::from_data(values.as_slice(), &device())
        };
        let like = flat(&layer.weight());
        let mut traces = Eligibility::new(case.number("tau_e")?, &like).map_err(|error| error.to_string())?;
        let (mut eligible, mut traced, mut updates) = (Vec::new(), Vec::new(), Vec::new());
        for (moment, reward) in moments.iter().zip(case.values("reward")?) {
            let now = delta(&layer, &rule, Signals::none(), |layer| moment.teach(layer))?;
            let (update, next) = traces.step(flat(&now), reward);
            eligible.push(now);
            traced.push(next.trace());
            updates.push(update.unsqueeze::<2>());
            traces = next;
        }
        case.compare("eligibility", end_to_end(eligible))?;
        case.compare_stacked("trace_e", traced)?;
        let all = Tensor::cat(updates, 0);
        case.compare("dw", all.clone().sum_dim(0).into_data())?;
        case.compare("dw_t", all.into_data())
    }
}
