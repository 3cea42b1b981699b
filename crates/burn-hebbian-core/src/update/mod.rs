//! From the sums over patches to the update.

mod bounds;
mod finish;
mod normalization;
mod rate;
mod reduction;
mod scale;

pub use bounds::Bounds;
pub use finish::Finish;
pub use normalization::Normalization;
pub use rate::Rate;
pub use reduction::Reduction;
pub use scale::Scale;
