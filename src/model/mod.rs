//! Boosted oblivious trees with exact attribution, calibration and artifacts.
