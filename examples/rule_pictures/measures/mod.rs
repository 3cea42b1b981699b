//! Numbers that say whether a rule learned what it should.

pub(crate) mod codes;
pub(crate) mod map;
pub(crate) mod principal;
pub(crate) mod vectors;
pub(crate) mod wins;
