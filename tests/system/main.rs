//! Whole-system laws: the built binary, real sockets, real files, real kills.
//!
//! One binary for all of them, since each links the whole library once more.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a broken set-up must stop a test where it breaks"
)]

mod answer_page;
mod backtest;
mod cases;
mod catboost;
mod compared;
mod durability;
mod experiments;
mod fake;
mod grpc;
mod hoarding_case;
mod near;
mod neighborhood;
mod orders;
mod parity;
mod permutations;
mod python_client;
mod reviews;
mod scenarios;
mod server;
mod strategies;
mod synthetic;
mod vectors;
mod vectors_anytime;
mod vectors_assignment;
mod vectors_bandit;
mod vectors_gbstats;
mod vectors_gbstats_more;
mod vectors_misc;
mod vectors_obp;
mod vectors_scores;
mod vectors_stats;
mod vectors_world;
mod what_if;
mod witness;
