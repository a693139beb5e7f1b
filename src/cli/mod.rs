//! The commands: the only place that wires, reads clocks and draws.

use clap::{Parser, Subcommand};

pub mod action_table;
pub mod archetypes;
pub mod ask;
pub mod audit;
pub mod backtest;
mod backtest_load_page;
pub mod backtest_page;
pub mod baselines;
mod blind_line;
pub mod call;
pub mod case;
pub mod check_config;
pub mod clock;
pub mod console;
pub mod deliveries;
pub mod demo;
pub mod difference_page;
pub mod erase;
pub mod evaluate;
pub mod evaluation_report;
pub mod event_file;
mod evidence_page;
pub mod experiment;
pub mod experiment_json;
pub mod experiment_page;
pub mod experiment_picture;
pub mod experiment_words;
pub mod explain;
pub mod exploration;
mod exploration_line;
pub mod export_matrix;
pub mod exposure;
mod flips_page;
pub mod gate_page;
pub mod identity_check;
pub mod identity_fingerprint;
pub mod import;
pub mod kept_orders;
pub mod key;
pub mod load;
pub mod load_calls;
pub mod load_floor;
pub mod load_orders;
pub mod load_page;
pub mod load_servers;
pub mod log;
pub mod model;
pub mod ope;
pub mod ope_log;
mod ope_page;
pub mod operations;
pub mod operators;
pub mod output;
pub mod outside_rules;
pub mod paint;
pub mod picture;
pub mod probe;
pub mod queue;
pub mod rehearse;
pub mod relay;
pub mod render;
pub mod replay;
pub mod replica;
pub mod retrain;
pub mod rule_features;
mod rules_section;
pub mod score;
pub mod serve;
pub mod settings;
pub mod similar_page;
pub mod simulate;
pub mod strategy;
pub mod strategy_page;
pub mod tls;
pub mod train;
pub mod truth_file;
pub mod turns;
pub mod watch_strategy;
pub mod what_if;
pub mod windows;
pub mod words;

#[cfg(test)]
mod backtest_page_tests;
#[cfg(test)]
mod lab_draft_tests;
#[cfg(test)]
mod lab_tests;

/// Explainable risk decisions for e-commerce orders.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a server on the shipped bundle and play a synthetic stream at it
    Demo(demo::Args),
    /// Serve decisions over gRPC
    Serve(serve::Args),
    /// Ask a server about one order and show the explained answer
    Score(score::ScoreArgs),
    /// Ask a server how its answer would change, and what would turn it
    WhatIf(what_if::WhatIfArgs),
    /// Map a foreign CSV or JSON Lines file to canonical events
    Import(import::ImportArgs),
    /// Write the event stream of a synthetic marketplace, or the history of a synthetic shop
    Simulate(simulate::Args),
    /// Train a bundle of models from an event file
    Train(train::Args),
    /// Judge a bundle on an event file, point in time
    Evaluate(evaluate::Args),
    /// Play the whole loop of learning on a synthetic market, with its truth beside it
    Rehearse(rehearse::Args),
    /// Make every recorded decision of a data folder again and compare
    Replay(replay::Args),
    /// Learn a new bundle from a journal and judge it on rings that it has not seen
    Retrain(retrain::Args),
    /// Propose, approve, activate and revert strategies of a running server
    Strategy(strategy::StrategyArgs),
    /// Start, ramp, stop and report experiments of a running server
    Experiment(experiment::ExperimentArgs),
    /// Promote and roll back models of a running server, and see what judged when
    Model(model::ModelArgs),
    /// Estimate from a log of choices what another policy would have brought
    Ope(ope::OpeArgs),
    /// Ask a server how people choose, and who does not look
    Operators(operators::OperatorsArgs),
    /// Ask a server what releasing declined orders to learn costs and shows
    Exploration(exploration::ExplorationArgs),
    /// Ask a server what was done about an order, what followed, and about similar cases
    Case(case::CaseArgs),
    /// Show one recorded decision of a data folder, or write it as a file for an auditor
    Explain(explain::ExplainArgs),
    /// Ask a server which orders people should look at first
    Queue(queue::QueueArgs),
    /// Judge recorded orders again under a draft of a strategy and compare
    Backtest(backtest::Args),
    /// Make, list, rotate and revoke API keys
    Key(key::KeyArgs),
    /// Erase identifiers of a person
    Erase(erase::EraseArgs),
    /// Show who did what, and follow the chain of the audit log
    Audit(audit::AuditArgs),
    /// Show what was told to other systems and what was given up, and try that again
    Deliveries(deliveries::DeliveriesArgs),
    /// Check configuration files and report every mistake
    CheckConfig(check_config::Args),
    /// Ask a server by gRPC health whether it serves
    Probe(probe::ProbeArgs),
    /// Measure speed beside a no-op server in the same run
    Bench(load::BenchArgs),
    /// The no-op server of `bench`
    #[command(hide = true)]
    BenchFloor,
}

/// Runs one command.
///
/// # Errors
/// Whatever the command reports; the binary shows it and exits with 1.
pub fn run(cli: Cli) -> miette::Result<()> {
    match cli.command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Score(args) => score::run(&args),
        Command::WhatIf(args) => what_if::run(&args),
        Command::Import(args) => import::run(&args, &serve::identity()?),
        Command::Simulate(args) => simulate::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Rehearse(args) => rehearse::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Retrain(args) => retrain::run(&args),
        Command::Strategy(args) => strategy::run(&args),
        Command::Experiment(args) => experiment::run(&args),
        Command::Model(args) => model::run(&args),
        Command::Ope(args) => ope::run(&args),
        Command::Operators(args) => operators::run(&args),
        Command::Exploration(args) => exploration::run(&args),
        Command::Case(args) => case::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Queue(args) => queue::run(&args),
        Command::Backtest(args) => backtest::run(&args),
        Command::Key(args) => key::run(&args),
        Command::Erase(args) => erase::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Deliveries(args) => deliveries::run(&args),
        Command::CheckConfig(args) => check_config::run(&args),
        Command::Probe(args) => probe::run(&args),
        Command::Bench(args) => load::run(&args),
        Command::BenchFloor => load_floor::run(),
    }
}
