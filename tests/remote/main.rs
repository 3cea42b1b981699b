//! A flex device served over the loopback address trains as a local one does.
//!
//! A binary of its own: the server runs until the process ends.

use std::{
    net::TcpListener,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use burn::{
    optim::SgdConfig,
    server::{RemoteServer, WebSocketTransport},
    tensor::{Device, Tensor, remote::RemoteHost},
};
use burn_hebbian::{optim::Entry, prelude::*};
use burn_hebbian_tests::{
    net::NormNet,
    values::{assert_close, tensor, vec},
};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let trials = vec![
        Trial::test("remote_step_equals_a_local_one", || {
            step_equals_a_local_one(|rule| {
                Plan::new().local("conv2", LocalTraining::new(rule).passing_gradients())
            })
        }),
        Trial::test("remote_local_learning_equals_local", || {
            // what lies below gets no gradient
            step_equals_a_local_one(|rule| {
                Plan::new().local("conv2", rule).with(Entry::backprop("conv1|norm1").optional())
            })
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Serves a flex device on a port that the system picks.
fn serve() -> Result<RemoteHost, Failed> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let host = RemoteHost::websocket(&format!("ws://{}", listener.local_addr()?));
    let transport = WebSocketTransport::from_listener(listener);
    thread::spawn(move || RemoteServer::new([Device::flex()]).serve(transport));
    Ok(host)
}

/// The device once the server answers.
fn connect() -> Result<Device, Failed> {
    let host = serve()?;
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        match Device::remote_options(&host).init() {
            Ok(device) => return Ok(device),
            Err(error) if Instant::now() > patience => return Err(error.into()),
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// Three steps of a hybrid net: what backprop trains, what learns locally, and running statistics.
fn step_equals_a_local_one(plan: fn(Rule) -> Plan) -> Result<(), Failed> {
    for rule in [Rule::swta(), Rule::sanger(), Rule::bcm()] {
        let plan = plan(rule);
        let expected = trained(&plan, &Device::flex().autodiff())?;
        let got = trained(&plan, &connect()?.autodiff())?;
        assert_close("weights after three steps", &got, &expected, 1e-5);
    }
    Ok(())
}

fn trained(plan: &Plan, device: &Device) -> Result<Vec<f64>, Failed> {
    let (mut net, mut optim) = plan.init(NormNet::new(device), SgdConfig::new())?;
    let before = weights(&net);
    for step in 0..3 {
        let images: Tensor<4> = tensor(50 + step, [4, 2, 6, 5], device);
        let forward = |net: &NormNet| net.forward(images).powi_scalar(2).sum();
        let (loss, seen) = optim.observe(&net, Signals::none(), forward)?;
        net = optim.step(0.01, net, seen.backward(loss)?)?;
    }
    let after = weights(&net);
    assert_ne!(before, after);
    Ok(after)
}

fn weights(net: &NormNet) -> Vec<f64> {
    let NormNet { conv1, conv2, fc, .. } = net;
    let state = conv2.rule_state().map(vec).unwrap_or_default();
    [vec(conv1.weight.val()), vec(conv2.layer().weight.val()), vec(fc.weight.val()), state].concat()
}
