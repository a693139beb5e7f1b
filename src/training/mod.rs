//! Training sets, the tree trainer, baselines and evaluation.
