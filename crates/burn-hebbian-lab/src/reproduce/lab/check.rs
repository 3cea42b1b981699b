//! What can be wrong with a row once the sizes of the images are known.

use anyhow::{Context, Result, ensure};

use super::{Lab, Sizes, fixed, hebbian, settling};
use crate::reproduce::{config::Stage, net::Trainer};

impl Lab<'_> {
    /// Refuses stages that cannot be built on these images, before any of them trains.
    pub(crate) fn check(&self) -> Result<()> {
        let Sizes { dims, classes, .. } = self.sizes()?;
        self.net.check(dims)?;
        for stages in 1..=self.stages.len() {
            let lab = self.up_to(stages);
            let [first, last] = lab.last().blocks();
            if last == &self.net.blocks[self.net.blocks.len() - 1].name {
                self.net.check_scores(dims, classes)?;
            }
            let checked = match lab.last() {
                Stage::Hebbian(stage) => hebbian::check(&lab, stage),
                Stage::Backprop(_) => lab.fresh(Trainer::Backprop, &self.setting.device).map(drop),
                Stage::Untrained(stage) => fixed::check(&lab, stage),
                Stage::Settling(stage) => settling::check(&lab, stage),
            };
            checked.with_context(|| format!("stage {stages}, {first} to {last}"))?;
        }
        Ok(())
    }

    /// Refuses regions that a block's outputs cannot be averaged over.
    pub(crate) fn check_regions(&self, block: &str, regions: Option<usize>) -> Result<()> {
        let Some(regions) = regions else { return Ok(()) };
        let [_, height, width] = match self.stages {
            [] => self.sizes()?.dims,
            _ => self.shapes()?[self.net.index(block)? + 1],
        };
        let fits = (1..=height.min(width)).contains(&regions);
        ensure!(fits, "{regions} × {regions} regions of {height} × {width} positions");
        Ok(())
    }
}
