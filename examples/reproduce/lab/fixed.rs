//! Blocks that nothing trains: controls.

use anyhow::{Result, bail};

use super::Lab;
use crate::{
    config::{Untrained, Weights},
    net::{Chain, Trainer},
};

/// The blocks with the weights of `stage`.
pub(super) fn built(lab: &Lab, stage: &Untrained) -> Result<Chain> {
    let chain = lab.fresh(Trainer::Rules, &lab.setting.device)?;
    match stage.weights {
        Weights::Random => Ok(chain),
        other => bail!("{other:?}: not yet"),
    }
}
