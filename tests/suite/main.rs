//! The tests, one body for several backends.
//!
//! `HEBBIAN_REQUIRE=flex,ndarray,wgpu` fails what would otherwise be skipped because this machine lacks the
//! backend. A skipped test is listed as ignored and counted in the last line.

mod accumulation;
mod bad_input;
mod book;
mod checkpoints;
mod constraints;
mod contract;
mod convergence;
mod cube;
mod deviations;
mod forms;
mod fused;
mod geometry;
mod gradients;
mod learner;
mod linear;
mod own_layer;
mod pipeline;
mod plans;
mod properties;
mod records;
mod replicas;
mod rules;
mod schedules;
mod shapes;
mod spikes_first;
mod spikes_input;
mod spikes_learning;
mod spikes_neurons;
mod spikes_pairs;
mod spikes_reward;
mod stages;
mod state;
mod trainer;

use std::process::ExitCode;

use burn::tensor::Device;
use burn_hebbian_tests::{
    backends::{backends, is_required, required},
    registration::every_file_is_registered,
};
use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut trials = vec![Trial::test("required_backends_are_built", required_backends_are_built)];
    trials.extend(rules::trials());
    trials.extend(geometry::trials());
    trials.extend(gradients::trials());
    trials.extend(accumulation::trials());
    trials.extend(constraints::trials());
    trials.extend(contract::trials());
    trials.extend(convergence::trials());
    trials.extend(cube::trials());
    trials.extend(pipeline::trials());
    trials.extend(plans::trials());
    trials.extend(properties::trials());
    trials.extend(records::trials());
    trials.extend(replicas::trials());
    trials.extend(schedules::trials());
    trials.extend(shapes::trials());
    trials.extend(spikes_first::trials());
    trials.extend(spikes_input::trials());
    trials.extend(spikes_learning::trials());
    trials.extend(spikes_neurons::trials());
    trials.extend(spikes_pairs::trials());
    trials.extend(spikes_reward::trials());
    trials.extend(stages::trials());
    trials.extend(state::trials());
    trials.extend(bad_input::trials());
    trials.extend(book::trials());
    trials.extend(checkpoints::trials());
    trials.extend(deviations::trials());
    trials.extend(forms::trials());
    trials.extend(fused::trials());
    trials.extend(learner::trials());
    trials.extend(linear::trials());
    trials.extend(own_layer::trials());
    trials.extend(trainer::trials());
    trials.push(Trial::test("every_file_is_registered", || {
        every_file_is_registered("suite", include_str!("main.rs"))
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test that runs on every backend of this build.
fn on_every_backend(name: &str, body: fn(&Device)) -> Vec<Trial> {
    on_backends(name, body, |_| true)
}

/// A test that runs on every backend of this build that has kernels of its own.
fn on_every_gpu(name: &str, body: fn(&Device)) -> Vec<Trial> {
    on_backends(name, body, |backend| !matches!(backend, "flex" | "ndarray"))
}

fn on_backends(name: &str, body: fn(&Device), which: fn(&str) -> bool) -> Vec<Trial> {
    backends()
        .iter()
        .filter(|backend| which(backend.name))
        .map(|backend| {
            let name = format!("{name}::{}", backend.name);
            let skipped = backend.device.is_none() && !is_required(backend.name);
            let run = move || match &backend.device {
                Some(device) => {
                    body(device);
                    Ok(())
                }
                None => Err(format!("backend {} is required, but does not run here", backend.name).into()),
            };
            Trial::test(name, run).with_ignored_flag(skipped)
        })
        .collect()
}

/// A test that runs on flex alone.
fn on_flex(name: &str, body: fn(&Device)) -> Trial {
    Trial::test(name, move || {
        body(&Device::flex());
        Ok(())
    })
}

fn required_backends_are_built() -> Result<(), libtest_mimic::Failed> {
    let built: Vec<_> = backends().iter().map(|backend| backend.name).collect();
    for name in required() {
        if !built.contains(&name.as_str()) {
            return Err(format!("HEBBIAN_REQUIRE names {name}, this build has {built:?}").into());
        }
    }
    Ok(())
}
