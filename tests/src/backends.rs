//! The backends a test body runs on.

use std::{env, panic, sync::OnceLock};

use burn::tensor::{Device, Tensor};

/// A backend that this build knows.
#[derive(Debug, Clone)]
pub struct Backend {
    /// Its name, as in `HEBBIAN_REQUIRE`.
    pub name: &'static str,
    /// Its device, if this machine can run it.
    pub device: Option<Device>,
}

/// All backends of this build, tried once.
pub fn backends() -> &'static [Backend] {
    static BACKENDS: OnceLock<Vec<Backend>> = OnceLock::new();
    BACKENDS.get_or_init(|| {
        known().into_iter().map(|(name, device)| Backend { name, device: try_device(device) }).collect()
    })
}

/// A backend's name and how to get its device.
type Known = (&'static str, fn() -> Device);

fn known() -> Vec<Known> {
    vec![
        #[cfg(feature = "flex")]
        ("flex", Device::flex),
        #[cfg(feature = "ndarray")]
        ("ndarray", ndarray),
        #[cfg(feature = "wgpu")]
        ("wgpu", || Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
        #[cfg(feature = "vulkan")]
        ("vulkan", || Device::vulkan(burn::tensor::DeviceKind::DefaultDevice)),
        #[cfg(feature = "cuda")]
        ("cuda", || Device::cuda(0)),
    ]
}

/// Deprecated upstream, still supported here.
#[cfg(feature = "ndarray")]
#[allow(deprecated)]
fn ndarray() -> Device {
    Device::ndarray()
}

/// The device if it can add; a backend without hardware panics.
fn try_device(device: fn() -> Device) -> Option<Device> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let device = panic::catch_unwind(|| {
        let device = device();
        let sum = Tensor::<1>::ones([2], &device).sum().into_scalar::<f32>();
        assert_eq!(sum, 2.0);
        device
    });
    panic::set_hook(hook);
    device.ok()
}

/// Whether `HEBBIAN_REQUIRE` (a list with commas) names a backend: then it must not be skipped.
pub fn is_required(name: &str) -> bool {
    required().iter().any(|required| required == name)
}

/// The names in `HEBBIAN_REQUIRE`.
pub fn required() -> Vec<String> {
    let list = env::var("HEBBIAN_REQUIRE").unwrap_or_default();
    list.split(',').map(|name| name.trim().to_string()).filter(|name| !name.is_empty()).collect()
}
