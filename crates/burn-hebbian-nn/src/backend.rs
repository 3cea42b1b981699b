//! Which backend a device belongs to, as far as the features of this crate tell.

// ndarray is deprecated upstream, and supported here
#![allow(deprecated)]

use burn::{backend::DispatchDevice, tensor::Device};

/// The backends that this crate treats differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// Burn's CPU backend, on which costs were measured.
    #[cfg(feature = "flex")]
    Flex,
    /// The other one on the CPU.
    #[cfg(feature = "ndarray")]
    NdArray,
    /// GPUs, and whatever else CubeCL compiles for.
    #[cfg(feature = "cube")]
    Cube,
    /// A device of another process.
    #[cfg(feature = "remote")]
    Remote,
    /// One that is no feature of this crate.
    Other,
}

impl Backend {
    /// The backend of a device, below autodiff.
    pub(crate) fn of(device: &Device) -> Self {
        Self::of_dispatch(device.as_dispatch())
    }

    fn of_dispatch(device: &DispatchDevice) -> Self {
        match device {
            #[cfg(feature = "flex")]
            DispatchDevice::Flex(_) => Self::Flex,
            #[cfg(feature = "ndarray")]
            DispatchDevice::NdArray(_) => Self::NdArray,
            #[cfg(feature = "cube")]
            DispatchDevice::Cube(_) => Self::Cube,
            #[cfg(feature = "remote")]
            DispatchDevice::Remote(_) => Self::Remote,
            DispatchDevice::Autodiff(device) => Self::of_dispatch(device),
            #[allow(unreachable_patterns)]
            _ => Self::Other,
        }
    }

    /// Whether it computes in the memory of this process.
    pub(crate) fn is_host(self) -> bool {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => true,
            #[cfg(feature = "ndarray")]
            Self::NdArray => true,
            _ => false,
        }
    }

    /// Whether it is the one on which costs were measured.
    pub(crate) fn is_flex(self) -> bool {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => true,
            _ => false,
        }
    }
}
