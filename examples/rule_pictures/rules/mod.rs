//! What each rule is taught, and what is said about it.

mod abstention;
mod bcm;
mod foldiak;
mod independent;
mod instar;
mod map;
mod principal;
mod prototypes;
mod surround;
mod teacher;

use anyhow::Result;

use crate::{data::Data, picture::Picture};

/// Teaches a layer and says what it learned.
pub(crate) type Teach = fn(&Data) -> Result<Picture>;

/// All pictures by name.
pub(crate) const RULES: [(&str, Teach); 19] = [
    ("hebb", principal::hebb),
    ("oja", principal::oja),
    ("subspace", principal::subspace),
    ("sanger", principal::sanger),
    ("hpca_adaptive", principal::hpca_adaptive),
    ("hard_wta", prototypes::hard_wta),
    ("swta", prototypes::swta),
    ("adaptive_k", prototypes::adaptive_k),
    ("soft_hebb", prototypes::soft_hebb),
    ("krotov", prototypes::krotov),
    ("ica", independent::ica),
    ("som", map::som),
    ("teacher", teacher::teacher),
    ("outstar", teacher::outstar),
    ("bcm", bcm::bcm),
    ("foldiak", foldiak::foldiak),
    ("instar", instar::instar),
    ("surround", surround::surround),
    ("abstention", abstention::abstention),
];
