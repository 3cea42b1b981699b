//! Narrower networks, for quick tries.

use anyhow::{Result, ensure};

use super::{LayerConfig, NetChoice, NetConfig, Stage, Table, rule::RuleChoice};

impl Table {
    /// With a share of the neurons of every layer but the network's last.
    pub(crate) fn narrow(&mut self, width: f64) -> Result<()> {
        ensure!(width > 0.0 && width <= 1.0, "a width must be above 0 and at most 1, got {width}");
        let nets = self.rows.iter_mut().flat_map(|row| {
            let beside = row.beside.iter_mut().filter_map(|branch| branch.net.as_mut());
            row.net.as_mut().into_iter().chain(beside)
        });
        for choice in nets.chain([&mut self.net]) {
            let mut net = choice.config()?;
            net.narrow(width);
            *choice = NetChoice::Own(net);
        }
        let stages = self.rows.iter_mut().flat_map(|row| {
            row.stages.iter_mut().chain(row.beside.iter_mut().flat_map(|branch| &mut branch.stages))
        });
        for stage in stages {
            if let Stage::Hebbian(stage) = stage {
                stage.rules.iter_mut().flatten().for_each(|rule| rule.narrow(width));
            }
        }
        Ok(())
    }
}

impl NetConfig {
    fn narrow(&mut self, width: f64) {
        let last = self.blocks.len().saturating_sub(1);
        // patches have as many values as they had
        for block in self.blocks[..last].iter_mut().filter(|block| block.whitening.is_none()) {
            match &mut block.layer {
                LayerConfig::Conv { filters: neurons, .. } | LayerConfig::Linear { neurons, .. } => {
                    *neurons = share(*neurons, width);
                }
            }
            block.per_class = block.per_class.map(|per_class| share(per_class, width));
            block.rule.narrow(width);
        }
    }
}

impl RuleChoice {
    /// A map has as many neurons as its layer: its first side is cut.
    fn narrow(&mut self, width: f64) {
        if let Self::Som { size } = self
            && let Some(side) = size.first_mut()
        {
            *side = share(*side, width);
        }
    }
}

/// At least one.
fn share(count: usize, width: f64) -> usize {
    ((count as f64 * width) as usize).max(1)
}
