//! What can be wrong with blocks whose neurons spike.

use anyhow::{Context, Result, ensure};

use super::{BlockConfig, HandsOn, Hebbian, LayerConfig, NetConfig, Norm, Pool, Preparation, Spiking};
use crate::prelude::LocalRule;

impl NetConfig {
    /// Refuses blocks of spikes whose input says nothing of spikes.
    pub(super) fn check_spikes(&self, preparation: Preparation) -> Result<()> {
        for (index, block) in self.blocks.iter().enumerate() {
            let Some(spiking) = &block.spikes else { continue };
            let input = match index.checked_sub(1) {
                None => preparation.steps(),
                Some(below) => self.blocks[below].spike_steps(),
            };
            let layer = (&block.layer, block.norm_before);
            spiking.check(layer, input).with_context(|| format!("block `{}`", block.name))?;
        }
        Ok(())
    }
}

impl Spiking {
    fn check(&self, (layer, norm): (&LayerConfig, Norm), input: Option<usize>) -> Result<()> {
        let Self { steps, threshold, winners, .. } = *self;
        ensure!(matches!(layer, LayerConfig::Conv { .. }), "neurons that spike lie in convolutions");
        ensure!(norm == Norm::None, "a norm in front of neurons that spike loses when their inputs did");
        ensure!(threshold >= 0.0 && threshold.is_finite(), "a threshold must be at least 0, got {threshold}");
        ensure!(winners > 0, "at least 1 neuron learns from an image, got 0");
        let input = input.context("its neurons spike, and its input says nothing of spikes")?;
        ensure!(steps == input, "its neurons spike in {steps} steps, its input in {input}");
        Ok(())
    }
}

impl Hebbian {
    /// The neurons of its block, if its rule is one of spikes. Refuses such a rule where nothing spikes, and beside other blocks: those
    /// above see what it has learned.
    pub(crate) fn spiking(&self, blocks: &[BlockConfig]) -> Result<Option<Spiking>> {
        let rule = |index: usize, block: &BlockConfig| {
            let own = self.rules.as_ref().and_then(|rules| rules.get(index)).unwrap_or(&block.rule);
            own.rule(0).learns_from_spikes()
        };
        let mut by_spikes = blocks.iter().enumerate().filter(|(index, block)| rule(*index, block));
        let Some((_, block)) = by_spikes.next() else { return Ok(None) };
        let name = &block.name;
        ensure!(blocks.len() == 1, "block `{name}` learns from spikes, and needs a stage of its own");
        let spiking = block
            .spikes
            .with_context(|| format!("block `{name}` learns from spikes, and has no `spikes`"))?;
        Ok(Some(spiking))
    }
}

impl BlockConfig {
    /// The steps in which its outputs spike, if they say when.
    fn spike_steps(&self) -> Option<usize> {
        let kept = self.norm == Norm::None && !matches!(self.pool, Pool::Average { .. });
        let spikes = self.spikes.filter(|spiking| spiking.hands_on == HandsOn::Spikes);
        spikes.filter(|_| kept).map(|spiking| spiking.steps)
    }
}

impl Preparation {
    /// The steps in which images spike, if they do.
    fn steps(self) -> Option<usize> {
        match self {
            Self::FirstSpikes { steps, .. } => Some(steps),
            _ => None,
        }
    }

    /// Planes that it makes of one.
    pub(crate) fn planes(self) -> usize {
        if self.steps().is_some() { 2 } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Two blocks that spike, with changes.
    fn refused(preparation: Preparation, change: impl Fn(&mut Value)) -> String {
        let block = |name: &str| {
            json!({
                "name": name, "layer": { "conv": { "filters": 4, "kernel": 3 } }, "rule": "hebb", "rate": 1.0,
                "spikes": { "steps": 5, "threshold": 2.0, "winners": 2, "radius": 1, "hands_on": "spikes" }
            })
        };
        let mut json = json!({ "blocks": [block("a"), block("b")] });
        change(&mut json["blocks"]);
        let net: NetConfig = serde_json::from_value(json).unwrap();
        net.check_spikes(preparation).map_or_else(|error| format!("{error:#}"), |()| "fits".to_string())
    }

    #[test]
    fn inputs_say_when_they_spiked() {
        let spikes = |steps| Preparation::FirstSpikes { steps, threshold: 50.0, radius: 8 };
        let as_is = |_: &mut Value| ();
        assert_eq!(refused(spikes(5), as_is), "fits");
        let none = "its neurons spike, and its input says nothing of spikes";
        assert_eq!(refused(Preparation::Unit, as_is), format!("block `a`: {none}"));
        let other = "block `a`: its neurons spike in 5 steps, its input in 15";
        assert_eq!(refused(spikes(15), as_is), other);
        for (field, value) in [("pool", json!({ "average": { "size": 2 } })), ("norm", json!("plain"))] {
            assert_eq!(
                refused(spikes(5), |blocks| blocks[0][field] = value.clone()),
                format!("block `b`: {none}")
            );
        }
        let potentials = |blocks: &mut Value| blocks[0]["spikes"]["hands_on"] = json!("potentials");
        assert_eq!(refused(spikes(5), potentials), format!("block `b`: {none}"));
    }

    #[test]
    fn values_are_told() {
        let spikes = Preparation::FirstSpikes { steps: 5, threshold: 50.0, radius: 8 };
        let threshold = refused(spikes, |blocks| blocks[1]["spikes"]["threshold"] = json!(-1.0));
        assert_eq!(threshold, "block `b`: a threshold must be at least 0, got -1");
        let winners = refused(spikes, |blocks| blocks[1]["spikes"]["winners"] = json!(0));
        assert_eq!(winners, "block `b`: at least 1 neuron learns from an image, got 0");
        let linear = refused(spikes, |blocks| blocks[1]["layer"] = json!({ "linear": { "neurons": 3 } }));
        assert_eq!(linear, "block `b`: neurons that spike lie in convolutions");
    }
}
