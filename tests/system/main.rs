//! Whole-system laws: the built binary, real sockets, real files, real kills.
//!
//! One binary for all of them, since each links the whole library once more.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a broken set-up must stop a test where it breaks"
)]

mod answer_page;
mod audit;
mod backtest;
mod cases;
mod catboost;
mod console;
mod durability;
mod experiments;
mod exploration;
mod fake;
mod fuzz;
mod grpc;
mod hoarding_case;
mod late;
mod neighborhood;
mod operations;
mod orders;
mod packaging;
mod parity;
#[expect(clippy::duplicate_mod, reason = "the bench has no other way to the samples")]
#[path = "../../benches/fuzz/parsers/mod.rs"]
mod parsers;
mod permutations;
mod postgres;
#[path = "../shared/postgres_cluster.rs"]
mod postgres_cluster;
mod python_client;
mod relay;
mod replicas;
mod reviews;
mod scenarios;
mod security;
mod server;
mod strategies;
mod synthetic;
mod vectors;
mod what_if;
mod witness;
