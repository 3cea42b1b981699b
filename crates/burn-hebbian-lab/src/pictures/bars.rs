//! Bars: how often each neuron won, how weight norms are distributed, what the rows of a table came to.

use std::path::Path;

use image::RgbImage;
use plotters::{
    element::{PathElement, Rectangle},
    style::{BLACK, Color, RGBColor},
};

use super::chart::{Area, ChartError, Frame, color, failed, range};

/// Room above the highest bar.
const ROOM: f64 = 0.05;

/// Bars narrower than this many pixels have no gap between them.
const NARROW: f64 = 5.0;

/// The share of a bar's width that is gap.
const GAP: f64 = 0.2;

/// Half the width of the ends of a deviation, as a share of a bar's.
const END: f64 = 0.1;

/// A bar chart with bars of one width.
///
/// ```
/// use burn_hebbian_lab::pictures::bars::BarChart;
///
/// let wins = BarChart::new("neuron", "patches won", [12.0, 3.0, 0.0, 7.0]);
/// let norms = BarChart::histogram("norm", "neurons", &[0.97, 1.0, 1.01, 1.3], 10);
/// let errors = BarChart::new("", "test error, %", [1.7, 6.2]).with_names(["hybrid", "local"]).with_deviations([0.4, 0.5]);
/// # assert!(wins.draw().is_ok() && norms.draw().is_ok() && errors.draw().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BarChart {
    frame: Frame,
    heights: Vec<f64>,
    /// What each may be off by; nothing of the bars beyond.
    deviations: Vec<f64>,
    /// Where the first bar begins, and how wide each is.
    first: f64,
    width: f64,
}

impl BarChart {
    /// A bar a value, about 0, 1, 2, …; values that are not finite have none.
    pub fn new(x: &str, y: &str, heights: impl IntoIterator<Item = f64>) -> Self {
        let heights = heights.into_iter().collect();
        Self { frame: Frame::new(x, y), heights, deviations: Vec::new(), first: -0.5, width: 1.0 }
    }

    /// How many of the values lie in each of `bins` equal parts of their range; the last part holds the largest value too.
    /// Values that are not finite are left out. At least one bin is drawn.
    pub fn histogram(x: &str, y: &str, values: &[f64], bins: usize) -> Self {
        let bins = bins.max(1);
        let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        let Some([first, last]) = range(finite.iter().copied(), 0.0) else {
            return Self::new(x, y, []);
        };
        let width = (last - first) / bins as f64;
        let mut heights = vec![0.0; bins];
        for value in finite {
            heights[(((value - first) / width) as usize).min(bins - 1)] += 1.0;
        }
        Self { frame: Frame::new(x, y), heights, deviations: Vec::new(), first, width }
    }

    /// The height of each bar.
    pub fn heights(&self) -> &[f64] {
        &self.heights
    }

    /// Names below the bars in place of their numbers; bars beyond have none.
    pub fn with_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.frame.names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Deviations, drawn as lines up and down from the ends of the bars; bars beyond have none.
    pub fn with_deviations(mut self, deviations: impl IntoIterator<Item = f64>) -> Self {
        self.deviations = deviations.into_iter().collect();
        self
    }

    /// The bars from high to low, without names and deviations; what neuron each was is lost.
    pub fn sorted(mut self) -> Self {
        self.frame.names = None;
        self.deviations.clear();
        self.heights.sort_by(|a, b| b.total_cmp(a));
        self
    }

    /// With a title.
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.frame.title = Some(title.into());
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
        let ends = self.whiskers().flat_map(|(_, ends)| ends);
        let values = self.heights.iter().copied().chain(ends);
        let no_values = ChartError::NoValues { values: self.heights.len() };
        let [low, high] = range(values, ROOM).ok_or(no_values)?;
        // bars stand on 0
        let y = [if low < -ROOM * high { low } else { 0.0 }, high.max(0.0)];
        self.frame.picture(|area| self.draw_on(area, y))
    }

    /// The middle of each bar that has a deviation, and where that begins and ends.
    fn whiskers(&self) -> impl Iterator<Item = (f64, [f64; 2])> {
        let bars = self.heights.iter().zip(&self.deviations).enumerate();
        let drawn = bars.filter(|(_, (height, deviation))| height.is_finite() && deviation.is_finite());
        drawn.map(|(number, (height, deviation))| {
            let middle = self.first + self.width * (number as f64 + 0.5);
            (middle, [height - deviation, height + deviation])
        })
    }

    fn draw_on(&self, area: &Area, y: [f64; 2]) -> Result<(), ChartError> {
        let x = [self.first, self.first + self.width * self.heights.len() as f64];
        let mut chart = self.frame.axes(area, x, y)?;
        let wide = f64::from(self.frame.size[0]) / self.heights.len() as f64 > NARROW;
        let gap = if wide { GAP * self.width / 2.0 } else { 0.0 };
        let RGBColor(r, g, b) = color(0);
        let bars = self.heights.iter().enumerate().filter(|(_, height)| height.is_finite());
        let bars = bars.map(|(number, height)| {
            let left = self.first + self.width * number as f64;
            Rectangle::new(
                [(left + gap, 0.0), (left + self.width - gap, *height)],
                RGBColor(r, g, b).filled(),
            )
        });
        chart.draw_series(bars).map_err(failed)?;
        let end = END * self.width;
        let lines = self.whiskers().flat_map(|(middle, [low, high])| {
            let across = |y| vec![(middle - end, y), (middle + end, y)];
            [vec![(middle, low), (middle, high)], across(low), across(high)]
        });
        let lines = lines.map(|line| PathElement::new(line, BLACK.stroke_width(2)));
        chart.draw_series(lines).map_err(failed)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    /// Pixels of the color of bars in a column of the picture.
    fn bar(picture: &RgbImage, x: u32) -> usize {
        let RGBColor(r, g, b) = color(0);
        (0..picture.height()).filter(|y| *picture.get_pixel(x, *y) == Rgb([r, g, b])).count()
    }

    /// The heights in pixels of the bars from left to right, each at its middle.
    fn bars(picture: &RgbImage) -> Vec<usize> {
        let columns: Vec<usize> = (0..picture.width()).map(|x| bar(picture, x)).collect();
        let runs = columns.chunk_by(|a, b| (*a > 0) == (*b > 0));
        runs.filter(|run| run[0] > 0).map(|run| run[run.len() / 2]).collect()
    }

    #[test]
    fn bars_are_as_high_as_their_values() {
        let bars = bars(&BarChart::new("neuron", "wins", [10.0, 0.0, 5.0, f64::NAN, 20.0]).draw().unwrap());
        let [low, middle, high] = [bars[1], bars[0], bars[2]].map(|height| height as f64);
        assert!(bars.len() == 3 && high > 300.0, "{bars:?}");
        assert!((middle / high - 0.5).abs() < 0.02 && (low / high - 0.25).abs() < 0.02, "{bars:?}");
    }

    #[test]
    fn a_histogram_counts_all_finite_values() {
        let histogram = |values: &[f64], bins| BarChart::histogram("", "", values, bins);
        let chart = histogram(&[0.0, 0.1, 0.5, 1.0, 1.0, f64::NAN], 4);
        assert_eq!((chart.heights(), chart.first, chart.width), (&[2.0, 0.0, 1.0, 2.0][..], 0.0, 0.25));
        assert_eq!(histogram(&[3.0; 7], 3).heights(), [0.0, 7.0, 0.0]);
        assert_eq!(histogram(&[1.0, 2.0], 0).heights(), [2.0]);
        assert!(histogram(&[], 3).draw().is_err());
    }

    #[test]
    fn deviations_reach_as_far_as_they_are() {
        let chart = BarChart::new("", "", [10.0, 20.0, 5.0]).with_deviations([5.0, f64::NAN]);
        assert_eq!(chart.whiskers().collect::<Vec<_>>(), [(0.0, [5.0, 15.0])]);
        let picture = chart.draw().unwrap();
        assert_ne!(picture, BarChart::new("", "", [10.0, 20.0, 5.0]).draw().unwrap());
        // one that is higher than its bar is in the picture
        let high = BarChart::new("", "", [1.0]).with_deviations([3.0]).draw().unwrap();
        assert!(bars(&high)[0] < picture.height() as usize / 3);
    }

    #[test]
    fn names_stand_for_numbers() {
        let chart = BarChart::new("", "", [1.0, 2.0, 3.0]);
        let [plain, named] =
            [chart.clone(), chart.with_names(["one", "two"])].map(|chart| chart.draw().unwrap());
        assert_ne!(plain, named);
        assert_eq!(bars(&plain), bars(&named));
    }

    #[test]
    fn sorted_bars_descend() {
        assert_eq!(BarChart::new("", "", [1.0, 3.0, 2.0]).sorted().heights(), [3.0, 2.0, 1.0]);
    }
}
