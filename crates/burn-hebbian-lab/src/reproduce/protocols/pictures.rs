//! Pictures of weights.

use std::fs;

use crate::pictures::filters;
use anyhow::{Context, Result};
use burn::tensor::Tensor;

use super::Run;
use crate::reproduce::config::{PatchConfig, file_name};

/// Pixels a weight.
const ZOOM: usize = 5;

impl Run<'_> {
    /// Writes rows `[k, values]` as patches, `pictures/NAME.png`.
    pub(super) fn draw(&self, rows: Tensor<2>, patches: &PatchConfig, name: &str) -> Result<()> {
        let folder = self.folder.join("pictures");
        let file = folder.join(format!("{}.png", file_name(name)));
        let at = || format!("cannot write {}", file.display());
        fs::create_dir_all(&folder).with_context(at)?;
        let ([count, _], side) = (rows.dims(), patches.side);
        filters::save(rows.reshape([count, patches.channels(), side, side]), ZOOM, &file).with_context(at)
    }
}
