//! The same update patch by patch, in FastHebb's form and as this library computes it.

use crate::strategies::{BenchRule, Case, case, local, per_patch, product, setting::Setting};
use anyhow::Result;
use burn::tensor::Device;

use super::{
    Run,
    timing::{Work, medians},
};
use crate::reproduce::{
    asked::asked,
    config::{UpdateNetwork, UpdateNetworkName, UpdateSpeed},
    results::Score,
};

/// The ways to compute an update, in the order of [`Steps`].
const WAYS: [&str; 3] = ["patch by patch", "FastHebb's form", "this library"];

/// Seconds of forward pass and update, the [ways](WAYS) one after the other.
type Steps = [f64; 3];

/// Layers that occur so many times.
type Layers = Vec<(Case, usize)>;

/// Times of all networks and rules that were asked for.
pub(super) fn scores(run: &Run, config: &UpdateSpeed) -> Result<Vec<Score>> {
    let mut rows = vec![];
    for network in &config.networks {
        for rule in [BenchRule::Swta, BenchRule::Hpca] {
            rows.push((format!("{}, {rule}", network.name.title()), network, rule));
        }
    }
    let asked = asked(&rows, |(row, ..)| [row.as_str()], run.rows)?;
    let mut scores = vec![];
    for seed in run.seeds.clone() {
        for (row, network, rule) in &asked {
            println!("{row}, seed {seed}");
            let steps = network_steps(&network.layers(), *rule, config, &run.device)?;
            println!("  patch by patch / FastHebb's form: {:.1}", steps[0] / steps[1]);
            scores.extend(lines(row, &steps, network, config, seed));
        }
    }
    Ok(scores)
}

impl UpdateNetworkName {
    fn title(self) -> &'static str {
        match self {
            Self::SixLayer => "six-layer net, convolutions",
            Self::SixLayerHidden => "six-layer net, convolutions and 4096 hidden neurons",
            Self::Vgg11 => "VGG-11 at 224², convolutions",
        }
    }
}

impl UpdateNetwork {
    /// The layers that are timed.
    fn layers(&self) -> Layers {
        let of = |channels, kernel, padding, size, count| {
            (case(self.name.title(), self.batch, channels, [kernel, 1, padding], 1, size), count)
        };
        let six_layer = || {
            vec![
                of([3, 96], 5, 0, 32, 1),
                of([96, 128], 3, 0, 14, 1),
                of([128, 192], 3, 0, 12, 1),
                of([192, 256], 3, 0, 5, 1),
            ]
        };
        match self.name {
            UpdateNetworkName::SixLayer => six_layer(),
            // the linear layer sees one patch an image
            UpdateNetworkName::SixLayerHidden => [six_layer(), vec![of([256, 4096], 3, 0, 3, 1)]].concat(),
            UpdateNetworkName::Vgg11 => vec![
                of([3, 64], 3, 1, 224, 1),
                of([64, 128], 3, 1, 112, 1),
                of([128, 256], 3, 1, 56, 1),
                of([256, 256], 3, 1, 56, 1),
                of([256, 512], 3, 1, 28, 1),
                of([512, 512], 3, 1, 28, 1),
                of([512, 512], 3, 1, 14, 2),
            ],
        }
    }
}

/// The layers' times, added up.
fn network_steps(layers: &Layers, rule: BenchRule, config: &UpdateSpeed, device: &Device) -> Result<Steps> {
    let mut sum = [0.0; 3];
    for (case, count) in layers {
        Setting::check(*case, rule).map_err(anyhow::Error::msg)?;
        let steps = layer_steps(&Setting::on(*case, rule, device), config, device)?;
        sum.iter_mut().zip(steps).for_each(|(sum, step)| *sum += *count as f64 * step);
    }
    Ok(sum)
}

/// One layer: the parts of each way are timed in turns.
fn layer_steps(setting: &Setting, config: &UpdateSpeed, device: &Device) -> Result<Steps> {
    let Setting { x, w, chosen, plan, .. } = setting;
    let patches = setting.patches();
    let (teaching, unfolded) = (setting.teach(&patches), patches.unfold());
    let (all, timed) = (patches.count(), patches.count().min(config.timed_patches));
    let mut parts = [
        part(|| drop(chosen.forward(x.clone()))),
        part(|| drop(setting.teach(&setting.patches()))),
        part(|| drop(patches.unfold())),
        part(|| drop(per_patch(&patches, &teaching, w, timed))),
        part(|| drop(product(&unfolded, &teaching, w))),
        part(|| drop(local::step(chosen, plan, x.clone()))),
    ];
    let times = medians(config.rounds, device, &mut parts)?;
    let projected = times[3] * all as f64 / timed as f64;
    Ok([times[0] + times[1] + projected, times[0] + times[1] + times[2] + times[4], times[5]])
}

fn part<'a>(mut work: impl FnMut() + 'a) -> Work<'a> {
    Box::new(move || {
        work();
        Ok(())
    })
}

fn lines(row: &str, steps: &Steps, network: &UpdateNetwork, config: &UpdateSpeed, seed: u64) -> Vec<Score> {
    let UpdateNetwork { batch, epoch, .. } = *network;
    let how = format!("batch {batch}, medians of {}", config.rounds);
    let score = |of, measure, value| Score::of(row, of, &how, measure, seed, value);
    let of_each = WAYS.into_iter().zip(steps).flat_map(|(way, step)| {
        [
            score(way, "images/s", batch as f64 / step),
            score(way, "minutes an epoch, projected", epoch as f64 / batch as f64 * step / 60.0),
            score(way, "time / this library's time", step / steps[2]),
        ]
    });
    let ratio = score("patch by patch", "time / FastHebb's time", steps[0] / steps[1]);
    of_each.chain([ratio]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(name: UpdateNetworkName) -> UpdateNetwork {
        UpdateNetwork { name, batch: 2, small_batch: 1, epoch: 100 }
    }

    /// Each layer's output is the next one's input, pooled where the net pools.
    #[test]
    fn layers_fit_onto_each_other() {
        for (name, count, poolings) in
            [(UpdateNetworkName::SixLayerHidden, 5, 2), (UpdateNetworkName::Vgg11, 8, 4)]
        {
            let layers = network(name).layers();
            assert_eq!(layers.iter().map(|(_, count)| count).sum::<usize>(), count);
            let mut pooled = 0;
            for pair in layers.windows(2) {
                let [(below, _), (above, _)] = [pair[0], pair[1]];
                assert_eq!(below.channels[1], above.channels[0]);
                assert!([1, 2].contains(&(below.output_size() / above.size)), "{below} then {above}");
                pooled += below.output_size() / above.size - 1;
            }
            assert_eq!(pooled, poolings);
        }
    }

    #[test]
    fn epochs_are_projected_from_steps() {
        let config = UpdateSpeed { networks: vec![], rounds: 3, timed_patches: 1, small_rounds: 1 };
        let found = lines("row", &[60.0, 6.0, 3.0], &network(UpdateNetworkName::Vgg11), &config, 0);
        let value = |of: &str, measure: &str| {
            found.iter().find(|score| score.block == of && score.measure == measure).unwrap().test
        };
        assert_eq!(value("FastHebb's form", "minutes an epoch, projected"), 5.0);
        assert_eq!(value("patch by patch", "time / FastHebb's time"), 10.0);
        assert_eq!(value("patch by patch", "time / this library's time"), 20.0);
        assert!((value("this library", "images/s") - 2.0 / 3.0).abs() < 1e-12);
    }
}
