//! A plan on a model: what trains each parameter.

mod assignment;
mod resolver;
mod running;
mod survey;

pub(crate) use assignment::{Assignment, Key, LocalLayer, Parameter, Role};
pub(crate) use resolver::{check_frozen, resolve, resolve_thawed, strangers};
pub(crate) use running::shared_running;
pub(crate) use survey::{Leaf, Survey, is_active};
