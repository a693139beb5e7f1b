//! What the system does, a verb per file.

pub mod access_command;
pub mod access_ledger;
pub mod access_service;
pub mod action_report;
pub mod approved_orders;
pub mod audit_log;
pub mod background_build;
pub mod backtest;
pub mod calibration_watch;
pub mod case_service;
pub mod command;
pub mod compare_bundles;
pub mod degraded;
pub mod deliveries;
pub mod dossier_service;
pub mod durable_mark;
pub mod engine;
mod engine_access;
mod engine_dossiers;
mod engine_erasures;
mod engine_experiments;
mod engine_facts;
mod engine_keys;
mod engine_models;
mod engine_names;
mod engine_records;
mod engine_reviews;
mod engine_strategies;
pub mod erased_board;
pub mod erasure_service;
pub mod error;
pub mod evaluate_bundle;
pub mod event_health;
pub mod experiment_book;
pub mod experiment_facts;
pub mod experiment_guard;
pub mod experiment_looks;
pub mod experiment_report;
pub mod experiment_run;
pub mod experiment_service;
pub mod experiment_steps;
pub mod explainer;
pub mod exploration_ledger;
pub mod feature_sample;
pub mod judge_actions;
pub mod judge_error;
pub mod judge_order;
pub mod judges;
pub mod kept_dossier;
pub mod key_ledger;
pub mod key_ring;
pub mod key_service;
pub mod learn_from_journal;
pub mod lineup;
pub mod linked_orders;
pub mod model_ledger;
pub mod model_service;
pub mod model_shelf;
pub mod order_levers;
pub mod outlets;
pub mod pace;
pub mod past;
pub mod play_history;
pub mod preview;
pub mod price_actions;
pub mod promotion_gate;
pub mod read_journal;
mod recalibrate;
pub mod recent_work;
pub mod recognize;
pub mod replay_decision;
pub mod replay_journal;
pub mod replica;
pub mod retrain_model;
pub mod review_service;
pub mod score_drift;
pub mod sequencer;
mod sequencer_access;
mod sequencer_experiments;
mod sequencer_facts;
pub mod service;
pub mod shared_list;
pub mod shelves;
pub mod sight;
pub mod similar_cases;
pub mod start_engine;
pub mod state;
pub mod strategy_file;
pub mod strategy_ledger;
pub mod strategy_service;
pub mod strategy_shelf;
pub mod system_status;
pub mod timeline;
pub mod told_fact;
pub mod trial;
pub mod turn_action;
pub mod turned_order;
pub mod undecided;
pub mod watch_service;
pub mod watch_shedding;
pub mod way;
mod weigh_links;
pub mod what_if;
pub mod work_tally;

#[cfg(test)]
mod access_tests;
#[cfg(test)]
mod approved_orders_tests;
#[cfg(test)]
mod background_tests;
#[cfg(test)]
mod dossier_tests;
#[cfg(test)]
pub(crate) mod engine_tests;
#[cfg(test)]
mod experiments_tests;
#[cfg(test)]
mod exploration_tests;
#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod graph_settings_tests;
#[cfg(test)]
mod leak_canary_tests;
#[cfg(test)]
mod learn_tests;
#[cfg(test)]
mod models_tests;
#[cfg(test)]
mod pace_tests;
#[cfg(test)]
mod play_history_tests;
#[cfg(test)]
mod recognize_laws;
#[cfg(test)]
mod recognize_tests;
#[cfg(test)]
mod replay_decision_tests;
#[cfg(test)]
mod review_tests;
#[cfg(test)]
mod state_tests;
#[cfg(test)]
mod strategies_tests;
#[cfg(test)]
mod target_statistic_tests;
#[cfg(test)]
mod turn_action_tests;
#[cfg(test)]
mod what_if_tests;
