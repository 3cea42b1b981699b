//! Records of the plain layer and of the wrapped one are the same.

use burn::{module::Module, optim::SgdConfig, tensor::Device};
use burn_hebbian::{optim::Rest, prelude::*};
use burn_hebbian_tests::{
    net::{Net, PlainNet},
    values::{assert_close, tensor, vec},
};
use libtest_mimic::Trial;

use crate::{on_every_backend, on_flex};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_every_backend("records::plain_loads_into_local_and_back", plain_into_local_and_back);
    trials.push(on_flex("records::training_goes_on_after_loading", training_goes_on_after_loading));
    trials.push(on_flex("records::displays_like_a_module", displays_like_a_module));
    trials
}

fn plain_into_local_and_back(device: &Device) {
    let plain = PlainNet::new(device);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain.bpk");
    plain.clone().save_file(&path).unwrap();
    let local = Net::from(PlainNet::new(device)).load_file(&path);
    let x = || tensor(5, [4, 2, 6, 5], device);
    assert_close("plain in local", &vec(local.forward(x())), &vec(plain.forward(x())), 1e-6);
    assert_eq!(local.num_params(), plain.num_params());

    let path = folder.path().join("local.bpk");
    local.clone().save_file(&path).unwrap();
    let back = PlainNet::new(device).load_file(&path);
    assert_close("local in plain", &vec(back.forward(x())), &vec(local.forward(x())), 1e-6);
}

/// Loading restores the saved ids; an optimizer that has seen the old ones finds the new ones.
fn training_goes_on_after_loading(device: &Device) {
    let plan = Plan::new().local("conv2", Rule::swta()).with_rest(Rest::Frozen);
    let bound = || plan.init(Net::from(PlainNet::new(device)), SgdConfig::new()).unwrap();
    let step = |net: Net, optim: &mut LocalOptimizer| {
        let x = tensor(5, [4, 2, 6, 5], device);
        let (_, seen) = optim.observe(&net, Signals::none(), |net| net.forward(x)).unwrap();
        optim.step(0.1, net, seen.local_only()).unwrap()
    };
    let (net, mut optim) = bound();
    let net = step(net, &mut optim);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.bpk");
    net.clone().save_file(&path).unwrap();
    let (other, mut others) = bound();
    let other = step(other, &mut others);
    let loaded = step(other.load_file(&path), &mut others);
    let net = step(net, &mut optim);
    assert_eq!(vec(loaded.conv2.layer().weight.val()), vec(net.conv2.layer().weight.val()));
}

fn displays_like_a_module(device: &Device) {
    let mut net = Net::from(PlainNet::new(device));
    net.conv2 = net.conv2.with_rule(Rule::swta());
    let text = format!("{net}");
    assert!(text.contains("Local") && text.contains("Softmax { temperature: 0.02 }"), "{text}");
    assert!(text.contains("Conv2d") && format!("{:?}", net.conv2).contains("Local"), "{text}");
}
