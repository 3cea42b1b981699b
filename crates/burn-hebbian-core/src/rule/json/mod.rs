//! Rules in JSON: the name of a preset, a preset with its arguments, or stages.

mod known;
mod read;
#[cfg(test)]
mod tests;
mod write;
mod written;
