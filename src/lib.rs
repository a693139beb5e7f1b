//! orderlens: explainable risk decisions for e-commerce orders.
//!
//! A guided tour, in the order an order takes: a door ([`grpc`]) turns the
//! request into [`domain`] types ([`wire`]); [`workflow`] appends it to the
//! journal ([`store`]), by way of a [`stream`] where replicas share it, reads
//! [`feature`]s from the [`graph`], scores them ([`model`]) and decides ([`decision`]).
//! [`training`] makes the models and draws how good they are ([`plot`]), [`experiment`]
//! judges choices, [`import`] and [`simulator`] make events, [`config`] reads what people
//! edit, [`console`] shows people everything and [`telemetry`] machines, [`cli`] wires it all.
//! `docs/architecture.md` has the picture.

pub mod cli;
pub mod config;
pub mod console;
pub mod decision;
pub mod domain;
pub mod experiment;
pub mod feature;
pub mod graph;
pub mod grpc;
pub mod import;
pub mod model;
pub mod plot;
pub mod relay;
pub mod simulator;
pub mod store;
pub mod stream;
pub mod telemetry;
pub mod training;
pub mod wire;
pub mod workflow;
