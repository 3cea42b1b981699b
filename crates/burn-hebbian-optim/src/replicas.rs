//! Local learning in replicas that reduce their gradients themselves, as in distributed data parallel training.

use burn::{
    backend::DispatchDevice,
    tensor::{
        Device, Tensor,
        distributed::{ReduceOperation, all_reduce},
    },
};
use burn_hebbian_core::Sums;
use burn_hebbian_nn::replicas::{AllReduce, ReduceError};

/// One message a layer.
pub(crate) fn reduce(sums: Sums, replicas: &dyn AllReduce) -> Result<Sums, ReduceError> {
    let Sums { numerator, mass, statistics, .. } = sums;
    let parts = [Some(numerator.into_values()), mass, statistics];
    let lengths = parts.each_ref().map(|part| part.as_ref().map(|part| part.dims()[0]));
    let sum = replicas.sum(Tensor::cat(parts.into_iter().flatten().collect(), 0))?;
    let mut start = 0;
    let [numerator, mass, statistics] = lengths.map(|length| {
        let length = length?;
        start += length;
        Some(sum.clone().narrow(0, start - length, length))
    });
    Ok(Sums::new(numerator.expect("there always is one"), mass, statistics))
}

/// Replicas that meet by the collective operations of their devices, one replica a device.
///
/// Burn has them on CUDA; a `DistributedContext` or burn-train's distributed strategy has to be running.
#[derive(Debug, Clone)]
pub struct Collectives {
    devices: Vec<Device>,
}

impl Collectives {
    /// Between these devices.
    ///
    /// # Errors
    ///
    /// If there are none, or the backend of one has no collective operations.
    pub fn new(devices: impl IntoIterator<Item = Device>) -> Result<Self, ReduceError> {
        let devices: Vec<Device> = devices.into_iter().map(Device::inner).collect();
        if devices.is_empty() {
            return Err(ReduceError::Replicas(0));
        }
        match devices.iter().find(|device| !has_collectives(device.as_dispatch())) {
            Some(device) => Err(ReduceError::NoCollectives { device: format!("{device:?}") }),
            None => Ok(Self { devices }),
        }
    }
}

fn has_collectives(device: &DispatchDevice) -> bool {
    match device {
        #[cfg(feature = "cuda")]
        DispatchDevice::Cube(device) => matches!(device, burn::backend::CubeDevice::Cuda(_)),
        _ => false,
    }
}

impl AllReduce for Collectives {
    fn sum(&self, part: Tensor<1>) -> Result<Tensor<1>, ReduceError> {
        Ok(all_reduce(part, ReduceOperation::Sum, self.devices.clone()).resolve())
    }
}
