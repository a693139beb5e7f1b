//! The words of the service as types: ids, units, events, scores, decisions.
//!
//! No I/O, no async, no clock: every instant enters as an argument.

pub mod assignment;
pub mod backtest;
pub mod blind;
pub mod case;
pub mod category;
pub mod confirmation;
pub mod counterfactual;
pub mod decision;
pub mod difference;
pub mod entity;
pub mod event;
pub mod evidence;
pub mod experiment;
pub mod experiment_draft;
pub mod experiment_report;
pub mod exploration;
pub mod feature;
pub mod feedback;
pub mod graph_status;
pub mod head;
pub mod identity;
pub mod impact;
pub mod model_version;
pub mod money;
pub mod near;
pub mod neighborhood;
pub mod operators;
pub mod order;
pub mod order_step;
pub mod price_solution;
pub mod query;
pub mod record;
pub mod recorded_order;
pub mod review_queue;
pub mod risk;
pub mod rule;
pub mod scramble;
pub mod share;
pub mod similar;
pub mod standing;
pub mod strategy_version;
pub mod text;
pub mod time;
pub mod unlike;
