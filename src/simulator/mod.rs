//! A synthetic marketplace with known truth.
