//! What charts have in common: a white picture, a font that every machine has, axes.

use std::sync::Once;

use image::{ImageError, RgbImage};
use plotters::{
    backend::BitMapBackend,
    chart::{ChartBuilder, ChartContext},
    coord::{Shift, types::RangedCoordf64},
    drawing::{DrawingArea, IntoDrawingArea},
    prelude::Cartesian2d,
    style::{Color, FontStyle, RGBColor, WHITE, register_font},
};

/// The name by which the embedded font is known.
pub(super) const FONT: &str = "DejaVu Sans";

/// Heights of text in pixels: of titles, of labels and legends, of the numbers at the axes.
pub(super) const TITLE: u32 = 20;
pub(super) const LABEL: u32 = 16;
pub(super) const NUMBER: u32 = 14;

/// Pixels kept free around a chart.
pub(super) const MARGIN: u32 = 12;

/// The lines of the grid.
pub(super) const GRID: RGBColor = RGBColor(225, 225, 225);

/// Colors that color-blind readers tell apart, dark enough for lines on white.
///
/// Source: M. Okabe and K. Ito, "Color universal design" (2008); without its yellow and with black last.
const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// A chart that cannot be drawn or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChartError {
    /// Nothing to draw.
    #[error("a chart has at least 1 finite value, got {values} of which none is")]
    NoValues {
        /// The values it was given.
        values: usize,
    },
    /// Too small for its axes.
    #[error("a chart is at least {least} pixels wide and high, got {size:?}")]
    TooSmall {
        /// The least side.
        least: u32,
        /// Width and height.
        size: [u32; 2],
    },
    /// The drawing failed.
    #[error("a chart could not be drawn: {0}")]
    Drawing(String),
    /// The file could not be written.
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// Sides below this leave no room between the axes.
pub(super) const LEAST: u32 = 120;

pub(super) type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;
pub(super) type Context<'a, 'b> =
    ChartContext<'a, BitMapBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// What is written around a chart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frame {
    pub(super) title: Option<String>,
    pub(super) x: String,
    pub(super) y: String,
    /// What stands below 0, 1, 2, … in place of numbers.
    pub(super) names: Option<Vec<String>>,
    /// Width and height in pixels.
    pub(super) size: [u32; 2],
}

impl Frame {
    pub(super) fn new(x: &str, y: &str) -> Self {
        Self { title: None, x: x.to_string(), y: y.to_string(), names: None, size: [900, 560] }
    }

    /// A white picture on which `draw` draws.
    pub(super) fn picture(
        &self,
        draw: impl FnOnce(&Area) -> Result<(), ChartError>,
    ) -> Result<RgbImage, ChartError> {
        let [width, height] = self.size;
        if width.min(height) < LEAST {
            return Err(ChartError::TooSmall { least: LEAST, size: self.size });
        }
        register();
        let mut picture = RgbImage::new(width, height);
        {
            let area = BitMapBackend::with_buffer(&mut picture, (width, height)).into_drawing_area();
            area.fill(&WHITE).map_err(failed)?;
            draw(&area)?;
            area.present().map_err(failed)?;
        }
        Ok(picture)
    }

    /// Axes over these ranges, with title, labels and a grid.
    pub(super) fn axes<'a, 'b>(
        &self,
        area: &'a Area<'b>,
        x: [f64; 2],
        y: [f64; 2],
    ) -> Result<Context<'a, 'b>, ChartError> {
        let mut builder = ChartBuilder::on(area);
        builder.margin(MARGIN).margin_right(2 * MARGIN);
        builder.x_label_area_size(3 * LABEL).y_label_area_size(4 * LABEL);
        if let Some(title) = &self.title {
            builder.caption(title, (FONT, TITLE));
        }
        let mut chart = builder.build_cartesian_2d(x[0]..x[1], y[0]..y[1]).map_err(failed)?;
        let (numbers_x, numbers_y) = (Numbers::of(x), Numbers::of(y));
        let number_x = |value: &f64| match &self.names {
            Some(names) => name(names, *value),
            None => numbers_x.text(*value),
        };
        let number_y = |value: &f64| numbers_y.text(*value);
        let mut mesh = chart.configure_mesh();
        mesh.x_desc(&self.x).y_desc(&self.y).axis_desc_style((FONT, LABEL)).label_style((FONT, NUMBER));
        mesh.x_label_formatter(&number_x).y_label_formatter(&number_y);
        mesh.light_line_style(WHITE.mix(0.0)).bold_line_style(GRID).x_labels(10).y_labels(8);
        if let Some(names) = &self.names {
            // marks at every whole number, or more
            mesh.disable_x_mesh().x_labels((2 * names.len()).max(10));
        }
        mesh.draw().map_err(failed)?;
        Ok(chart)
    }
}

/// The name that belongs to a mark; none between them.
fn name(names: &[String], value: f64) -> String {
    let number = value.round();
    // marks are sums of steps
    let whole = (value - number).abs() < 1e-6 && number >= 0.0;
    names.get(number as usize).filter(|_| whole).cloned().unwrap_or_default()
}

/// Magnitudes that are written without an exponent.
const PLAIN: std::ops::Range<f64> = 1e-3..1e6;

/// How the numbers of an axis are written: with the digits that tell its marks apart.
pub(super) struct Numbers {
    digits: usize,
    exponent: bool,
}

impl Numbers {
    pub(super) fn of([low, high]: [f64; 2]) -> Self {
        let order = (high - low).log10().floor();
        let largest = low.abs().max(high.abs());
        Self { digits: (1.0 - order).clamp(0.0, 6.0) as usize, exponent: !PLAIN.contains(&largest) }
    }

    pub(super) fn text(&self, value: f64) -> String {
        if self.exponent {
            return format!("{value:.2e}");
        }
        // + 0.0: no −0
        format!("{:.*}", self.digits, value + 0.0)
    }
}

/// The color of the series of this number.
pub(super) fn color(series: usize) -> RGBColor {
    COLORS[series % COLORS.len()]
}

/// The least and the largest finite value with `margin` of their distance on both sides; around a lone value, 1 in all.
pub(super) fn range(values: impl Iterator<Item = f64>, margin: f64) -> Option<[f64; 2]> {
    let finite = values.filter(|value| value.is_finite());
    let ends = |[low, high]: [f64; 2], value: f64| [low.min(value), high.max(value)];
    let [low, high] = finite.map(|value| [value; 2]).reduce(|known, value| ends(known, value[0]))?;
    let margin = if low == high { 0.5 } else { margin * (high - low) };
    Some([low - margin, high + margin])
}

pub(super) fn failed(error: impl std::error::Error) -> ChartError {
    ChartError::Drawing(error.to_string())
}

/// Makes the embedded font known, so that no font of the system is needed.
pub(super) fn register() {
    static FIRST: Once = Once::new();
    // a font that cannot be read is reported by the first text that needs it
    FIRST.call_once(|| drop(register_font(FONT, FontStyle::Normal, dejavu::sans::regular())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_of_finite_values_with_room_around() {
        let range = |values: &[f64], margin| range(values.iter().copied(), margin);
        assert_eq!(range(&[2.0, f64::NAN, -2.0, f64::INFINITY], 0.25), Some([-3.0, 3.0]));
        assert_eq!(range(&[3.0], 0.25), Some([2.5, 3.5]));
        assert_eq!(range(&[f64::NAN], 0.25), None);
    }

    #[test]
    fn names_are_of_whole_numbers() {
        let names = ["a".to_string(), "b".to_string()];
        let named = [-1.0, -0.5, 0.0, 0.5, 1.0 + 1e-12, 2.0].map(|value| name(&names, value));
        assert_eq!(named, ["", "", "a", "", "b", ""]);
    }

    #[test]
    fn numbers_have_the_digits_that_tell_them_apart() {
        let text = |range: [f64; 2], value| Numbers::of(range).text(value);
        assert_eq!(text([0.0, 100.0], 40.0), "40");
        assert_eq!(text([0.0, 1.0], 0.2), "0.2");
        assert_eq!(text([0.91, 0.93], 0.925), "0.925");
        assert_eq!(text([-1.0, 1.0], -0.0), "0.0");
        assert_eq!(text([0.0, 5e-5], 2e-5), "2.00e-5");
    }
}
