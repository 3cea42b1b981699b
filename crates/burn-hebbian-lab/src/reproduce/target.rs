//! Where and how much is computed.

use burn::tensor::Device;
use clap::ValueEnum;

/// Backends of this build; others come with the features of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// Burn's own CPU backend.
    Flex,
    /// `ndarray` on the CPU.
    #[cfg(feature = "ndarray")]
    Ndarray,
    /// Any GPU that WebGPU reaches.
    #[cfg(feature = "wgpu")]
    Wgpu,
    /// The first CUDA GPU.
    #[cfg(feature = "cuda")]
    Cuda,
}

impl Backend {
    pub(super) fn device(self) -> Device {
        match self {
            Self::Flex => Device::flex(),
            #[cfg(feature = "ndarray")]
            #[allow(deprecated)] // upstream, and supported here
            Self::Ndarray => Device::ndarray(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(feature = "cuda")]
            Self::Cuda => Device::cuda(0),
        }
    }
}

/// How much is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scale {
    /// Few images, few epochs.
    Small,
    /// As published.
    Full,
}
