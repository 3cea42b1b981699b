//! The runner of `--example reproduce` on a tiny synthetic data set: whole tables, restarts, files, errors.

mod data;
mod errors;
mod experiment;
mod files;
mod restarts;
mod tables;
