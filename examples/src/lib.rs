//! What the programs here share: an allocator whose counts `burn_hebbian::lab::measure` reads.

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;
