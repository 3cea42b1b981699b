//! Dots: what each line of a table came to, with its interval, beside the controls.

use std::path::Path;

use image::RgbImage;
use plotters::{
    chart::ChartBuilder,
    element::{Circle, PathElement, Polygon, Rectangle, Text},
    style::{BLACK, Color, IntoFont, RGBColor, WHITE},
};

use super::chart::{
    Area, ChartError, FONT, Frame, GRID, LABEL, LEAST, MARGIN, NUMBER, Numbers, color, failed, range,
    register,
};

/// Pixels between the middles of two lines.
const LINE: u32 = 21;

/// Half the size of a mark in pixels.
const MARK: i32 = 5;

/// Room between a mark or a name and what is beside it.
const GAP: i32 = 8;

/// Room beside the outermost values, as a share of their range.
const ROOM: f64 = 0.04;

/// From where letters are drawn to their middle.
const LETTER: i32 = 3;

/// The shapes of the marks of kinds 0, 1 and 2, then anew.
const SHAPES: usize = 3;

/// A value with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Dot {
    name: String,
    value: f64,
    interval: Option<f64>,
    reference: Option<f64>,
    kind: usize,
}

impl Dot {
    /// Of the first kind, without an interval.
    pub fn new(name: impl Into<String>, value: f64) -> Self {
        Self { name: name.into(), value, interval: None, reference: None, kind: 0 }
    }

    /// With the interval `value ± interval`.
    pub fn with_interval(self, interval: f64) -> Self {
        Self { interval: Some(interval), ..self }
    }

    /// With a value that it is to be compared with, a published one for example.
    pub fn with_reference(self, reference: f64) -> Self {
        Self { reference: Some(reference), ..self }
    }

    /// Of the kind of this number, which decides on color and shape.
    pub fn of_kind(self, kind: usize) -> Self {
        Self { kind, ..self }
    }

    /// Where it, its interval and its reference are.
    fn values(&self) -> impl Iterator<Item = f64> {
        let interval = self.interval.into_iter();
        let ends = interval.flat_map(|interval| [self.value - interval, self.value + interval]);
        [self.value].into_iter().chain(ends).chain(self.reference)
    }
}

/// A chart of named values, a line each, in groups; its height follows from their number.
///
/// ```
/// use burn_hebbian_lab::pictures::dots::{Dot, DotChart};
///
/// let dots = [Dot::new("Hebbian", 62.2).with_interval(0.5).with_reference(63.9), Dot::new("random", 58.6).of_kind(1)];
/// let chart = DotChart::new("test accuracy, %", ["learned", "control"]).with_group("conv1", dots);
/// # assert!(chart.draw().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DotChart {
    x: String,
    kinds: Vec<String>,
    interval: String,
    reference: String,
    groups: Vec<(String, Vec<Dot>)>,
    width: u32,
}

impl DotChart {
    /// Without groups; `x` says what is measured, and its unit, `kinds` what kinds of dots there are.
    pub fn new(x: &str, kinds: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            x: x.to_string(),
            kinds: kinds.into_iter().map(Into::into).collect(),
            interval: "interval".to_string(),
            reference: "reference".to_string(),
            groups: Vec::new(),
            width: 800,
        }
    }

    /// With a group below those there are.
    pub fn with_group(mut self, name: impl Into<String>, dots: impl IntoIterator<Item = Dot>) -> Self {
        self.groups.push((name.into(), dots.into_iter().collect()));
        self
    }

    /// What the legend calls intervals and references.
    pub fn with_legend(self, interval: impl Into<String>, reference: impl Into<String>) -> Self {
        Self { interval: interval.into(), reference: reference.into(), ..self }
    }

    /// So many pixels wide, or more where names are long.
    pub fn with_width(self, width: u32) -> Self {
        Self { width, ..self }
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
    /// If there is no finite value.
    pub fn draw(&self) -> Result<RgbImage, ChartError> {
        let no_values = ChartError::NoValues { values: self.dots().count() };
        let x = range(self.dots().flat_map(Dot::values), ROOM).ok_or(no_values)?;
        let names = self.dots().map(|dot| width(&dot.name)).collect::<Result<Vec<_>, _>>()?;
        let names = names.into_iter().max().unwrap_or_default() + 2 * GAP;
        let legend = self.legend()?;
        let lines = (self.dots().count() + self.groups.len()) as u32;
        let above = legend.last().map_or(0, |entry| entry.at[1] as u32) + LINE;
        let height = above + lines * LINE + 3 * LABEL + MARGIN;
        let mut frame = Frame::new(&self.x, "");
        frame.size = [self.width.max(names as u32 + 3 * MARGIN + LEAST), height];
        frame.picture(|area| {
            for Entry { key, name, at: [left, middle] } in &legend {
                key.draw(area, [left + MARK, *middle])?;
                text(area, name, [left + 2 * MARK + GAP, *middle])?;
            }
            self.draw_on(area, x, names as u32, above)
        })
    }

    fn dots(&self) -> impl Iterator<Item = &Dot> {
        self.groups.iter().flat_map(|(_, dots)| dots)
    }

    /// What is explained.
    fn legend(&self) -> Result<Vec<Entry<'_>>, ChartError> {
        let kinds = self.kinds.iter().enumerate();
        let kinds = kinds.filter(|(kind, _)| self.dots().any(|dot| dot.kind == *kind));
        let mut keys: Vec<_> = kinds.map(|(kind, name)| (Key::Kind(kind), name.as_str())).collect();
        if self.dots().any(|dot| dot.interval.is_some()) {
            keys.push((Key::Interval, &self.interval));
        }
        if self.dots().any(|dot| dot.reference.is_some()) {
            keys.push((Key::Reference, &self.reference));
        }
        let (left, mut at) = (MARGIN as i32, [MARGIN as i32; 2]);
        at[1] += LINE as i32 / 2;
        let mut placed = Vec::new();
        for (key, name) in keys {
            let wide = 2 * MARK + GAP + width(name)?;
            if at[0] > left && at[0] + wide > self.width as i32 - left {
                at = [left, at[1] + LINE as i32];
            }
            placed.push(Entry { key, name, at });
            at[0] += wide + 3 * GAP;
        }
        Ok(placed)
    }

    fn draw_on(&self, area: &Area, x: [f64; 2], names: u32, above: u32) -> Result<(), ChartError> {
        let lines = self.dots().count() + self.groups.len();
        let mut builder = ChartBuilder::on(area);
        builder.margin(MARGIN).margin_top(above).margin_right(2 * MARGIN).margin_bottom(MARGIN);
        builder.x_label_area_size(3 * LABEL - MARGIN / 2).y_label_area_size(names);
        let mut chart = builder.build_cartesian_2d(x[0]..x[1], 0.0..lines as f64).map_err(failed)?;
        let numbers = Numbers::of(x);
        let number = |value: &f64| numbers.text(*value);
        let mut mesh = chart.configure_mesh();
        mesh.x_desc(&self.x).axis_desc_style((FONT, LABEL)).label_style((FONT, NUMBER));
        mesh.x_label_formatter(&number).disable_y_mesh().disable_y_axis();
        mesh.light_line_style(WHITE.mix(0.0)).bold_line_style(GRID).x_labels(10);
        mesh.draw().map_err(failed)?;
        let at = |value: f64, line: usize| {
            let (x, y) = chart.backend_coord(&(value, (lines - line) as f64 - 0.5));
            [x, y]
        };
        let mut line = 0;
        for (name, dots) in &self.groups {
            let [right, middle] = at(x[1], line);
            let half = LINE as i32 / 2 - 1;
            let band = [(MARGIN as i32, middle - half), (right, middle + half)];
            area.draw(&Rectangle::new(band, GRID.filled())).map_err(failed)?;
            text(area, name, [MARGIN as i32 + GAP / 2, middle])?;
            line += 1;
            for dot in dots {
                let [left, middle] = at(x[0], line);
                text(area, &dot.name, [left - GAP - width(&dot.name)?, middle])?;
                area.draw(&PathElement::new([(left, middle), (right, middle)], GRID)).map_err(failed)?;
                dot.draw(area, |value| at(value, line))?;
                line += 1;
            }
        }
        Ok(())
    }
}

impl Dot {
    /// Draws it where `at` says its values are.
    fn draw(&self, area: &Area, at: impl Fn(f64) -> [i32; 2]) -> Result<(), ChartError> {
        if !self.value.is_finite() {
            return Ok(());
        }
        let kind = Key::Kind(self.kind);
        if let Some(interval) = self.interval.filter(|interval| interval.is_finite()) {
            let [low, high] = [self.value - interval, self.value + interval].map(&at);
            whisker(area, low, high, kind.color())?;
        }
        kind.draw(area, at(self.value))?;
        match self.reference.filter(|reference| reference.is_finite()) {
            Some(reference) => Key::Reference.draw(area, at(reference)),
            None => Ok(()),
        }
    }
}

/// What a mark stands for, in the legend: its left end, and the middle of its line.
#[derive(Debug)]
struct Entry<'a> {
    key: Key,
    name: &'a str,
    at: [i32; 2],
}

/// What a mark stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Kind(usize),
    Interval,
    Reference,
}

impl Key {
    fn color(self) -> RGBColor {
        match self {
            Self::Kind(kind) => color(kind),
            _ => BLACK,
        }
    }

    /// Around a middle.
    fn draw(self, area: &Area, [x, y]: [i32; 2]) -> Result<(), ChartError> {
        let corners = |half: i32| [(x - half, y), (x, y - half), (x + half, y), (x, y + half)];
        match self {
            Self::Interval => whisker(area, [x - MARK, y], [x + MARK, y], self.color()),
            Self::Reference => {
                let outline = corners(MARK + 1).into_iter().chain([(x - MARK - 1, y)]);
                area.draw(&PathElement::new(outline.collect::<Vec<_>>(), self.color().stroke_width(2)))
                    .map_err(failed)
            }
            Self::Kind(kind) => {
                let style = self.color().filled();
                match kind % SHAPES {
                    0 => area.draw(&Circle::new((x, y), MARK, style)),
                    1 => {
                        let square = [(x - MARK, y - MARK), (x + MARK, y + MARK)];
                        area.draw(&Rectangle::new(square, style))
                    }
                    _ => {
                        let triangle = [(x - MARK - 1, y + MARK), (x, y - MARK), (x + MARK + 1, y + MARK)];
                        area.draw(&Polygon::new(triangle, style))
                    }
                }
                .map_err(failed)
            }
        }
    }
}

/// A line with ends across it.
fn whisker(area: &Area, low: [i32; 2], high: [i32; 2], color: RGBColor) -> Result<(), ChartError> {
    let across = |[x, y]: [i32; 2]| vec![(x, y - MARK), (x, y + MARK)];
    for line in [vec![low.into(), high.into()], across(low), across(high)] {
        area.draw(&PathElement::new(line, color.stroke_width(2))).map_err(failed)?;
    }
    Ok(())
}

/// Words from a point at their left on, the middle of their line.
fn text(area: &Area, words: &str, [x, y]: [i32; 2]) -> Result<(), ChartError> {
    area.draw(&Text::new(words, (x, y - LETTER), (FONT, NUMBER))).map_err(failed)
}

/// The pixels that words are wide.
fn width(words: &str) -> Result<i32, ChartError> {
    register();
    Ok((FONT, NUMBER).into_font().box_size(words).map_err(failed)?.0 as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn chart() -> DotChart {
        let dots = [Dot::new("learned", 62.0), Dot::new("random", 50.0).of_kind(1)];
        DotChart::new("accuracy, %", ["learned", "control", "none"]).with_group("conv1", dots)
    }

    /// The columns and rows that have pixels of a kind's color.
    fn of_kind(picture: &RgbImage, kind: usize) -> (Vec<u32>, Vec<u32>) {
        let RGBColor(r, g, b) = color(kind);
        let found = picture.enumerate_pixels().filter(|(_, _, pixel)| **pixel == Rgb([r, g, b]));
        found.map(|(x, y, _)| (x, y)).unzip()
    }

    /// The middle of what lies below the legend.
    fn middle(picture: &RgbImage, kind: usize) -> [f64; 2] {
        let (x, y) = of_kind(picture, kind);
        let below = x.into_iter().zip(y).filter(|(_, y)| *y > MARGIN + LINE);
        let (x, y): (Vec<_>, Vec<_>) = below.unzip();
        [x, y].map(|all| all.iter().sum::<u32>() as f64 / all.len() as f64)
    }

    #[test]
    fn dots_lie_where_their_values_are() {
        let dots = [50.0, 60.0, 70.0].into_iter().enumerate();
        let dots = dots.map(|(kind, value)| Dot::new(format!("{value}"), value).of_kind(kind));
        let picture = DotChart::new("", ["a", "b", "c"]).with_group("all", dots).draw().unwrap();
        let [first, second, third] = [0, 1, 2].map(|kind| middle(&picture, kind));
        assert!((second[0] - (first[0] + third[0]) / 2.0).abs() < 2.0, "{first:?}, {second:?}, {third:?}");
        assert!((second[1] - first[1] - f64::from(LINE)).abs() < 2.0, "{first:?}, {second:?}");
    }

    #[test]
    fn the_legend_explains_what_there_is() {
        let names = |chart: &DotChart| {
            chart.legend().unwrap().iter().map(|entry| entry.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(&chart()), ["learned", "control"]);
        let more = chart().with_legend("95 %", "published");
        assert_eq!(names(&more), ["learned", "control"]);
        let dot = Dot::new("best", 70.0).with_interval(1.0).with_reference(72.0);
        assert_eq!(names(&more.with_group("conv2", [dot])), ["learned", "control", "95 %", "published"]);
    }

    #[test]
    fn a_line_more_is_a_line_higher() {
        let more = chart().with_group("conv2", [Dot::new("learned", 61.0)]);
        let heights = [chart(), more].map(|chart| chart.draw().unwrap().height());
        assert_eq!(heights[1] - heights[0], 2 * LINE);
    }

    #[test]
    fn intervals_reach_as_far_as_they_are() {
        let with = |interval| {
            let group = [Dot::new("wide", 50.0).with_interval(interval), Dot::new("far", 90.0).of_kind(1)];
            let picture = DotChart::new("", ["a", "b"]).with_group("", group).draw().unwrap();
            let (x, _) = of_kind(&picture, 0);
            x.iter().max().unwrap() - x.iter().filter(|x| **x > 100).min().unwrap()
        };
        assert!(with(20.0) > with(5.0) + 100);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let error =
            DotChart::new("x", ["a"]).with_group("none", [Dot::new("nan", f64::NAN)]).draw().unwrap_err();
        assert_eq!(error.to_string(), "a chart has at least 1 finite value, got 1 of which none is");
    }

    #[test]
    fn names_have_room() {
        let widths = [100, 500].map(|width| chart().with_width(width).draw().unwrap().width());
        assert!(widths[0] > LEAST && widths[1] == 500, "{widths:?}");
    }
}
