//! Feedback: transposes, settled states and what is learned from them, by mathematics and against autodiff; in double precision
//! where it is about limits.

mod dual;
mod limits;
mod net;
mod practice;
mod refused;
mod signals;
mod transpose;
