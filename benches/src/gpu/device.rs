//! The device of this build.

use std::{
    fmt, panic,
    sync::{Arc, OnceLock},
};

use burn::tensor::{Device, Tensor};

/// What a build with one of the features `cuda`, `vulkan` and `wgpu` runs on; flex without any of them.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The backend's name.
    pub name: &'static str,
    /// Its first device.
    pub device: Device,
}

/// A backend found nothing to run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoDevice {
    name: &'static str,
    reason: String,
}

impl fmt::Display for NoDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {} device: {}", self.name, self.reason)
    }
}

impl std::error::Error for NoDevice {}

/// The first device of the build's first backend, once it has added; or flex.
///
/// # Errors
///
/// If the backend finds no device.
pub fn choose(flex: bool) -> Result<Chosen, NoDevice> {
    let (name, device) = if flex { FLEX } else { built() };
    // the first panic of any thread names the cause; what reaches this one speaks of its consequences
    let cause = Arc::new(OnceLock::new());
    let hook = panic::take_hook();
    let first = cause.clone();
    panic::set_hook(Box::new(move |info| drop(first.set(reason(info.payload())))));
    let found = panic::catch_unwind(|| {
        let device = device();
        let sum = Tensor::<1>::ones([2], &device).sum().into_scalar::<f32>();
        assert!(sum == 2.0, "1 + 1 = {sum}");
        device
    });
    panic::set_hook(hook);
    let reason = || cause.get().cloned().unwrap_or_default();
    found.map(|device| Chosen { name, device }).map_err(|_| NoDevice { name, reason: reason() })
}

/// Characters of a reason: what a driver says, not the stack of calls below.
const REASON: usize = 300;

/// What a panic said, the beginning of it in one line.
pub fn reason(panic: &(dyn std::any::Any + Send)) -> String {
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
    said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(REASON).collect()
}

/// A backend's name and how to get its device.
type Built = (&'static str, fn() -> Device);

const FLEX: Built = ("flex", Device::flex);

#[allow(unreachable_code)]
fn built() -> Built {
    #[cfg(feature = "cuda")]
    return ("CUDA", || Device::cuda(0));
    #[cfg(feature = "vulkan-untuned")]
    return ("Vulkan", || Device::vulkan(burn::tensor::DeviceKind::DefaultDevice));
    #[cfg(feature = "wgpu")]
    return ("wgpu", || Device::wgpu(burn::tensor::DeviceKind::DefaultDevice));
    FLEX
}
