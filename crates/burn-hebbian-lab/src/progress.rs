//! Progress bars.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar of `steps` on standard error; silent where that is no terminal.
pub fn bar(steps: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stderr());
    bar.enable_steady_tick(Duration::from_millis(200));
    match ProgressStyle::with_template("{wide_bar} {pos}/{len} {elapsed} < {eta}  {msg:30}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
