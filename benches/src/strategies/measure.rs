//! What each strategy costs on a layer.

use super::{broadcast, chunk, local, per_patch, product, setting::Setting};
use crate::{alternatives::medians, memory::peak_of};

/// Patches of which the per-patch strategy is timed.
pub const TIMED_PATCHES: usize = 16;

/// The strategies, in the order of [`Costs::strategies`].
pub const STRATEGIES: [&str; 6] = ["per patch", "broadcast", "product", "mean", "gradient", "chosen"];

/// What a strategy costs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// Seconds of the update.
    pub update: f64,
    /// Seconds of forward pass and update.
    pub step: f64,
    /// The peak of a step in bytes, beyond input, weights and output.
    pub memory: usize,
}

/// What all strategies cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Costs {
    /// Seconds of two products of the same size.
    pub products: f64,
    /// Of each of [`STRATEGIES`].
    pub strategies: [Cost; 6],
}

impl Costs {
    /// With `count` such layers more: times add up, of the memory the larger counts.
    pub fn with(mut self, other: Self, count: usize) -> Self {
        self.products += count as f64 * other.products;
        for (cost, other) in self.strategies.iter_mut().zip(other.strategies) {
            cost.update += count as f64 * other.update;
            cost.step += count as f64 * other.step;
            cost.memory = cost.memory.max(other.memory);
        }
        self
    }
}

/// How many patches are timed of the strategies that take differences, and how many there are.
struct Counts {
    patches: usize,
    chunk: usize,
    all: usize,
}

impl Counts {
    fn of(setting: &Setting) -> Self {
        let ([neurons, fan_in], all) = (setting.w.dims(), setting.patches().count());
        Self { patches: TIMED_PATCHES.min(all), chunk: chunk(neurons, fan_in).min(all), all }
    }
}

/// Times and memory of every strategy, in one process, the times in turns.
pub fn measure(setting: &Setting, rounds: usize) -> Costs {
    let counts = Counts::of(setting);
    let (products, forward, updates) = times(setting, &counts, rounds);
    let peaks = peaks(setting, &counts);
    let strategies = std::array::from_fn(|strategy| Cost {
        update: updates[strategy],
        step: forward + updates[strategy],
        memory: peaks[strategy],
    });
    Costs { products, strategies }
}

/// Seconds of two products, of the forward pass, and of each strategy's update.
fn times(setting: &Setting, counts: &Counts, rounds: usize) -> (f64, f64, [f64; 6]) {
    let Setting { x, w, chosen, gradient, plan, .. } = setting;
    let patches = setting.patches();
    let (teaching, unfolded) = (setting.teach(&patches), patches.unfold());
    let c = &teaching.coefficients;
    let two_products = || {
        drop(unfolded.clone().matmul(w.clone().transpose()));
        drop(c.clone().transpose().matmul(unfolded.clone()));
    };
    let parts: [Box<dyn Fn() + '_>; 10] = [
        Box::new(two_products),
        Box::new(|| drop(chosen.forward(x.clone()))),
        Box::new(|| drop(setting.teach(&setting.patches()))),
        Box::new(|| drop(patches.unfold())),
        Box::new(|| drop(per_patch(&patches, &teaching, w, counts.patches))),
        Box::new(|| drop(broadcast(&unfolded, &teaching, w, counts.chunk))),
        Box::new(|| drop(product(&unfolded, &teaching, w))),
        Box::new(|| drop(setting.of_means(&teaching))),
        Box::new(|| drop(local::step(gradient, plan, x.clone()))),
        Box::new(|| drop(local::step(chosen, plan, x.clone()))),
    ];
    let times = medians(rounds, &parts);
    let [products, forward, teach, unfold, some, chunk, product, mean, gradient, chosen] =
        times.try_into().expect("a time for each part");
    let all = |time: f64, timed: usize| time * counts.all as f64 / timed as f64;
    let updates = [
        teach + all(some, counts.patches),
        teach + unfold + all(chunk, counts.chunk),
        teach + unfold + product,
        teach + mean,
        gradient - forward,
        chosen - forward,
    ];
    (products, forward, updates)
}

/// The peak of a step in each strategy: in its forward pass or in its update, whichever is higher.
fn peaks(setting: &Setting, counts: &Counts) -> [usize; 6] {
    let Setting { x, w, chosen, gradient, plan, dot, .. } = setting;
    let output = 4 * dot.shape().num_elements();
    let above_output = |work: &dyn Fn()| peak_of(work).saturating_sub(output);
    let forward = above_output(&|| drop(chosen.forward(x.clone())));
    let differences = peak_of(|| {
        let patches = setting.patches();
        let teaching = setting.teach(&patches);
        drop(teaching.finish(per_patch(&patches, &teaching, w, counts.patches)));
    });
    let [in_chunks, by_product] = [true, false].map(|chunks| {
        peak_of(|| {
            let patches = setting.patches();
            let (teaching, unfolded) = (setting.teach(&patches), patches.unfold());
            drop(teaching.finish(match chunks {
                true => broadcast(&unfolded, &teaching, w, counts.chunk),
                false => product(&unfolded, &teaching, w),
            }));
        })
    });
    let by_means = peak_of(|| {
        let teaching = setting.teach(&setting.patches());
        drop(teaching.finish(setting.of_means(&teaching)));
    });
    let [by_gradient, as_chosen] =
        [gradient, chosen].map(|layer| above_output(&|| drop(local::step(layer, plan, x.clone()))));
    let [differences, in_chunks, by_product, by_means] =
        [differences, in_chunks, by_product, by_means].map(|update| update.max(forward));
    [differences, in_chunks, by_product, by_means, by_gradient, as_chosen]
}
