//! From the rank of a parameter, known when a plan is bound, to the types of Burn, which know it when they are compiled.

/// Runs `$body` with the constant `$D` being `$rank`.
macro_rules! by_rank {
    ($rank:expr, $D:ident => $body:expr) => {
        match $rank {
            1 => {
                const $D: usize = 1;
                $body
            }
            2 => {
                const $D: usize = 2;
                $body
            }
            3 => {
                const $D: usize = 3;
                $body
            }
            4 => {
                const $D: usize = 4;
                $body
            }
            5 => {
                const $D: usize = 5;
                $body
            }
            6 => {
                const $D: usize = 6;
                $body
            }
            7 => {
                const $D: usize = 7;
                $body
            }
            8 => {
                const $D: usize = 8;
                $body
            }
            rank => unreachable!("a parameter of rank {rank}: Burn has none"),
        }
    };
}

pub(crate) use by_rank;
