//! Hard winner-take-all with many neurons, plain and with random abstention.

use anyhow::Result;
use burn_hebbian::prelude::{HebbianConv2d, Rule};

use crate::{
    data::Data,
    lesson::Lesson,
    measures::wins::{counts, evenness, used},
    picture::{Picture, panel},
    witness::coefficients,
};

/// More neurons than plain winner-take-all can wake.
const NEURONS: usize = 64;

/// Left plain, right with abstention: all neurons get their turn.
pub(crate) fn abstention(data: &Data) -> Result<Picture> {
    let (plain, abstaining) = (learned(Rule::hard_wta(), data)?, learned(Rule::abstaining_wta(0), data)?);
    let line = format!("{} with abstention, {} without", wins(&abstaining, data)?, wins(&plain, data)?);
    Ok(Picture { panels: vec![panel(&plain, 8), panel(&abstaining, 8)], line })
}

fn learned(rule: Rule, data: &Data) -> Result<HebbianConv2d> {
    Lesson { rate: 0.3, ..Lesson::new(rule, NEURONS, &data.contrast) }.learn()
}

/// Of the trained layer, with nobody sitting out.
fn wins(layer: &HebbianConv2d, data: &Data) -> Result<String> {
    let wins = counts(coefficients(layer, Rule::hard_wta(), &data.contrast)?);
    Ok(format!("{} of {NEURONS} neurons win digits, evenness {:.3}", used(&wins), evenness(&wins)))
}
