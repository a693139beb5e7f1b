//! Whole-system laws: the built binary, real sockets, real files, real kills.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a broken set-up must stop a test where it breaks"
)]

mod backtest;
mod cases;
mod catboost;
mod compared;
mod durability;
mod experiments;
mod hoarding_case;
mod near;
mod neighborhood;
mod orders;
mod parity;
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
