//! Ensembles that are only scored: their trees are asked 32 abreast.
//!
//! The sums are those of [`Ensemble::raw`], in the same order, so the numbers are too.

use crate::model::engine::{Instructions, NARROW_MAX};
use crate::model::ensemble::{DEPTH_MAX, Ensemble};
use crate::model::forest::Forest;

/// Leaves of a tree of full depth.
const N_LEAVES: usize = 1 << DEPTH_MAX;

/// Two ensembles over one vector of ranks.
#[derive(Clone, Debug)]
pub(crate) struct PlainPair {
    instructions: Instructions,
    body: Body,
    sums: [Sum; 2],
}

#[derive(Clone, Debug)]
enum Body {
    Narrow(Forest<u8>),
    Wide(Forest<u16>),
}

/// What the leaves of one ensemble add up to.
#[derive(Clone, Debug)]
struct Sum {
    bias: f64,
    leaves: Vec<[f64; N_LEAVES]>,
}

impl PlainPair {
    /// Compiles two ensembles over so many features.
    pub(crate) fn compile(ensembles: [&Ensemble; 2], n_features: usize) -> Self {
        let trees = ensembles.iter().flat_map(|ensemble| ensemble.trees());
        let body = if n_features <= NARROW_MAX {
            Body::Narrow(Forest::new(trees))
        } else {
            Body::Wide(Forest::new(trees))
        };
        Self { instructions: Instructions::detect(), body, sums: ensembles.map(Sum::of) }
    }

    /// Both raw scores, from ranks as [`crate::model::engine::Scratch`] pads them.
    pub(crate) fn raw(&self, padded_ranks: &[u8]) -> (f64, f64) {
        let mut numbers = match &self.body {
            Body::Narrow(forest) => {
                let mut numbers = vec![0; forest.n_lanes()];
                self.instructions.leaves(forest, padded_ranks, &mut numbers);
                numbers
            }
            Body::Wide(forest) => {
                let mut numbers = vec![0; forest.n_lanes()];
                forest.fill(padded_ranks, &mut numbers);
                numbers
            }
        };
        let second = numbers.split_off(self.sums[0].leaves.len());
        (self.sums[0].raw(&numbers), self.sums[1].raw(&second))
    }
}

impl Sum {
    fn of(ensemble: &Ensemble) -> Self {
        let by_leaf = ensemble.trees().iter().map(|tree| {
            let mut leaves = [0.0; N_LEAVES];
            leaves.iter_mut().zip(tree.leaves()).for_each(|(slot, leaf)| *slot = *leaf);
            leaves
        });
        Self { bias: ensemble.bias(), leaves: by_leaf.collect() }
    }

    fn raw(&self, numbers: &[u8]) -> f64 {
        let leaves = self.leaves.iter().zip(numbers);
        leaves
            .fold(self.bias, |raw, (leaves, number)| raw + leaves[usize::from(*number) % N_LEAVES])
    }
}
