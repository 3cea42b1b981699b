//! Curves over epochs or steps.

use std::path::Path;

use image::RgbImage;
use plotters::{
    element::{EmptyElement, PathElement, Polygon, Rectangle},
    series::{DashedLineSeries, LineSeries},
    style::{BLACK, Color, RGBColor, ShapeStyle, WHITE},
};

use super::chart::{Area, ChartError, Context, FONT, Frame, LABEL, color, failed, range};

/// The width of curves in pixels.
const WIDTH: u32 = 2;

/// How dark a band is beside its curve.
const BAND: f64 = 0.2;

/// The color of reference lines.
const REFERENCE: RGBColor = RGBColor(110, 110, 110);

/// Dash and gap of reference lines, in pixels.
const DASH: [u32; 2] = [8, 6];

/// Room above and below the curves, and beside them.
const ROOM: [f64; 2] = [0.06, 0.02];

/// Pixels of color beside a name in the legend.
const KEY: i32 = 24;

/// A named curve, with a band around it or without.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    name: String,
    points: Vec<[f64; 2]>,
    /// `x`, low, high.
    band: Vec<[f64; 3]>,
}

impl Curve {
    /// Through points `[x, y]`; points that are not finite are left out.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = [f64; 2]>) -> Self {
        Self { name: name.into(), points: points.into_iter().collect(), band: Vec::new() }
    }

    /// Through `values` at `x` = 1, 2, 3, …, epochs for example.
    pub fn of_epochs(name: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        let point = |(i, value)| [(i + 1) as f64, value];
        Self::new(name, values.into_iter().enumerate().map(point))
    }

    /// With a shaded band, `[x, low, high]`: a 95 % interval, for example.
    pub fn with_band(self, band: impl IntoIterator<Item = [f64; 3]>) -> Self {
        Self { band: band.into_iter().collect(), ..self }
    }

    fn values(&self, axis: usize) -> impl Iterator<Item = f64> {
        let of_band = move |point: &[f64; 3]| if axis == 0 { [point[0]; 2] } else { [point[1], point[2]] };
        self.points.iter().map(move |point| point[axis]).chain(self.band.iter().flat_map(of_band))
    }
}

/// A line chart: named curves, bands, horizontal reference lines.
///
/// It brings its own font: nothing needs to be installed.
///
/// ```
/// use burn_hebbian_lab::pictures::curves::{Curve, LineChart};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chart = LineChart::new("epoch", "accuracy / %")
///     .with_curve(Curve::of_epochs("Hebbian", [52.0, 61.0, 64.0]).with_band([[1.0, 50.0, 54.0], [3.0, 63.0, 65.0]]))
///     .with_reference("chance", 10.0);
/// # let path = std::env::temp_dir().join("burn-hebbian-curves.png");
/// chart.save(&path)?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LineChart {
    frame: Frame,
    curves: Vec<Curve>,
    references: Vec<(String, f64)>,
}

impl LineChart {
    /// Without curves, its axes so labeled.
    pub fn new(x: &str, y: &str) -> Self {
        Self { frame: Frame::new(x, y), curves: Vec::new(), references: Vec::new() }
    }

    /// With a title.
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.frame.title = Some(title.into());
        self
    }

    /// With a curve; it gets the next color.
    pub fn with_curve(mut self, curve: Curve) -> Self {
        self.curves.push(curve);
        self
    }

    /// With a dashed horizontal line at `y`.
    pub fn with_reference(mut self, name: impl Into<String>, y: f64) -> Self {
        self.references.push((name.into(), y));
        self
    }

    /// So many pixels wide and high.
    pub fn with_size(mut self, size: [u32; 2]) -> Self {
        self.frame.size = size;
        self
    }

    /// Writes the chart as a PNG.
    ///
    /// # Errors
    ///
    /// If it cannot be drawn or the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ChartError> {
        Ok(self.draw()?.save(path)?)
    }

    /// The chart as a picture.
    ///
    /// # Errors
    ///
    /// If there is no finite value, or no room for the axes.
    pub fn draw(&self) -> Result<RgbImage, ChartError> {
        let [x, y] = self.ranges()?;
        self.frame.picture(|area| self.draw_on(area, x, y))
    }

    fn draw_on(&self, area: &Area, x: [f64; 2], y: [f64; 2]) -> Result<(), ChartError> {
        let mut chart = self.frame.axes(area, x, y)?;
        for (number, curve) in self.curves.iter().enumerate() {
            draw_band(&mut chart, &curve.band, color(number))?;
        }
        for (number, curve) in self.curves.iter().enumerate() {
            draw_curve(&mut chart, curve, color(number))?;
        }
        for (name, at) in &self.references {
            draw_reference(&mut chart, name, *at, x)?;
        }
        draw_legend(&mut chart)
    }

    /// The ranges of both axes.
    fn ranges(&self) -> Result<[[f64; 2]; 2], ChartError> {
        let values = |axis| self.curves.iter().flat_map(move |curve| curve.values(axis));
        let references = self.references.iter().map(|(_, y)| *y);
        let x = range(values(0), ROOM[1]);
        let y = range(values(1).chain(references), ROOM[0]);
        let error = || ChartError::NoValues { values: values(1).count() };
        Ok([x.ok_or_else(error)?, y.ok_or_else(error)?])
    }
}

fn draw_band(chart: &mut Context, band: &[[f64; 3]], color: RGBColor) -> Result<(), ChartError> {
    let band: Vec<_> = band.iter().filter(|point| point.iter().all(|value| value.is_finite())).collect();
    let low = band.iter().map(|[x, low, _]| (*x, *low));
    let outline: Vec<_> = band.iter().map(|[x, _, high]| (*x, *high)).chain(low.rev()).collect();
    if outline.len() < 4 {
        return Ok(()); // a band has a width
    }
    chart.draw_series([Polygon::new(outline, color.mix(BAND))]).map_err(failed)?;
    Ok(())
}

fn draw_reference<'a, 'b: 'a>(
    chart: &mut Context<'a, 'b>,
    name: &str,
    y: f64,
    x: [f64; 2],
) -> Result<(), ChartError> {
    let (style, [dash, gap]) = (ShapeStyle::from(REFERENCE).stroke_width(1), DASH);
    let line = DashedLineSeries::new(x.map(|x| (x, y)), dash, gap, style);
    let series = chart.draw_series(line).map_err(failed)?;
    series.label(name).legend(move |(left, top)| {
        // two dashes
        let dash = |from: i32| Rectangle::new([(left + from, top), (left + from + 9, top)], style);
        EmptyElement::at((0, 0)) + dash(0) + dash(KEY - 9)
    });
    Ok(())
}

fn draw_curve(chart: &mut Context, curve: &Curve, color: RGBColor) -> Result<(), ChartError> {
    let style = ShapeStyle::from(color).stroke_width(WIDTH);
    let finite = curve.points.iter().filter(|point| point.iter().all(|value| value.is_finite()));
    let line = LineSeries::new(finite.map(|[x, y]| (*x, *y)), style);
    let series = chart.draw_series(line).map_err(failed)?;
    series
        .label(&curve.name)
        .legend(move |(left, top)| PathElement::new([(left, top), (left + KEY, top)], style));
    Ok(())
}

fn draw_legend<'a, 'b: 'a>(chart: &mut Context<'a, 'b>) -> Result<(), ChartError> {
    let mut legend = chart.configure_series_labels();
    legend.label_font((FONT, LABEL)).legend_area_size(KEY + 6).margin(10);
    legend.background_style(WHITE.mix(0.85)).border_style(BLACK.mix(0.3));
    legend.draw().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn has(picture: &RgbImage, color: RGBColor) -> usize {
        let RGBColor(r, g, b) = color;
        picture.pixels().filter(|pixel| **pixel == Rgb([r, g, b])).count()
    }

    fn chart() -> LineChart {
        let rising = Curve::of_epochs("rising", (0..20).map(|i| f64::from(i).sqrt() / 5.0));
        let falling = Curve::new("falling", (0..20).map(|i| [f64::from(i) + 1.0, 0.9 - 0.04 * f64::from(i)]));
        LineChart::new("epoch", "‖w‖").with_curve(rising).with_curve(falling)
    }

    #[test]
    fn every_curve_has_its_color_in_the_chart_and_in_the_legend() {
        let picture = chart().draw().unwrap();
        assert_eq!(picture.dimensions(), (900, 560));
        assert!((0..2).all(|number| has(&picture, color(number)) > 500));
        assert_eq!(has(&picture, color(2)), 0);
        // one row of the key is one run of the color, beside the names at the right
        let RGBColor(r, g, b) = color(1);
        let key = (0..560).any(|y| {
            (700..900 - KEY as u32)
                .any(|x| (0..KEY as u32).all(|i| *picture.get_pixel(x + i, y) == Rgb([r, g, b])))
        });
        assert!(key);
    }

    #[test]
    fn bands_and_references_are_drawn() {
        let plain = chart();
        let band: Vec<_> = (1..=20).map(|i| [f64::from(i), 0.2, 0.4]).collect();
        let (mut with_band, with_reference) = (plain.clone(), plain.clone().with_reference("limit", 0.5));
        with_band.curves[0] = with_band.curves[0].clone().with_band(band);
        let shaded = RGBColor(205, 227, 240); // a fifth of the first color on white
        let [before, after] = [&plain, &with_band].map(|chart| has(&chart.draw().unwrap(), shaded));
        // without a band, the edges of text and curves
        assert!(before < 100 && after > 10_000, "{before}, {after}");
        let [before, after] = [&plain, &with_reference].map(|chart| has(&chart.draw().unwrap(), REFERENCE));
        assert!(before < 100 && after > 300, "{before}, {after}");
        let named = |name| plain.clone().with_reference(name, 0.5).draw().unwrap();
        assert!(named("limit") != named("bound"), "the legend names it");
    }

    /// Text is drawn though no font is asked for: a title changes rows that are otherwise white.
    #[test]
    fn a_title_is_written_above() {
        let dark = |chart: LineChart| {
            let picture = chart.draw().unwrap();
            picture.enumerate_pixels().filter(|(_, y, pixel)| *y < 36 && pixel.0[0] < 100).count()
        };
        assert!(dark(chart().with_title("Convergence")) > dark(chart()) + 100);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let empty = LineChart::new("x", "y").with_curve(Curve::new("none", [[f64::NAN, 1.0]]));
        assert_eq!(
            empty.draw().unwrap_err().to_string(),
            "a chart has at least 1 finite value, got 1 of which none is"
        );
        let error = chart().with_size([100, 400]).draw().unwrap_err();
        assert_eq!(error.to_string(), "a chart is at least 120 pixels wide and high, got [100, 400]");
    }
}
