//! Whole-system laws: the built binary, real sockets, real files, real kills.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a broken set-up must stop a test where it breaks"
)]

mod backtest;
mod cases;
mod catboost;
mod durability;
mod experiments;
mod hoarding_case;
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
mod vectors_misc;
mod what_if;
mod witness;
