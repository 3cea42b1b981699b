//! What can be wrong with networks that settle.

use anyhow::{Context, Result, ensure};

use super::{Evaluation, NetConfig, Norm, Row, Settling, Stage};

impl Settling {
    /// Refuses what does not depend on the images.
    pub(super) fn check(&self, net: &NetConfig) -> Result<()> {
        self.method.protocol()?;
        let momentum = self.momentum;
        ensure!((0.0..1.0).contains(&momentum), "a momentum must be in 0..1, got {momentum}");
        let [lowest, highest] = [net.blocks.first(), net.blocks.last()];
        let whole =
            lowest.zip(highest).map(|(lowest, highest)| (lowest.name.as_str(), highest.name.as_str()));
        let [first, last] = &self.blocks;
        ensure!(
            whole == Some((first.as_str(), last.as_str())),
            "feedback goes through the whole network, got {first} to {last}"
        );
        for block in &net.blocks {
            let plain = block.norm == Norm::None && block.norm_before == Norm::None && block.dropout == 0.0;
            ensure!(
                plain,
                "block `{}`: between states that settle there is no norm and no dropout",
                block.name
            );
            block.pool.of_states().with_context(|| format!("block `{}`", block.name))?;
        }
        Ok(())
    }
}

impl Row {
    /// States that settle answer with scores, of the last stage alone.
    pub(super) fn check_settling(&self) -> Result<()> {
        let settles = |stage: &Stage| matches!(stage, Stage::Settling(_));
        let others = self.beside.iter().flat_map(|branch| &branch.stages);
        let scored = self.evaluate.iter().all(|by| *by == Evaluation::Scores) && self.beside.is_empty();
        ensure!(
            scored || !self.stages.iter().chain(others).any(settles),
            "a network that settles is judged by its own `scores`"
        );
        Ok(())
    }
}
