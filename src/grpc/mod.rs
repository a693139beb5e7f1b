//! The gRPC door: services over [`crate::workflow::service::OrderService`].

pub mod case_door;
pub mod deadline;
pub mod decision_door;
pub mod event_door;
pub mod experiment_door;
pub mod feedback_door;
pub mod graph_door;
pub mod limit;
pub mod model_door;
pub mod records_health;
pub mod replica_health;
pub mod review_door;
pub mod server;
pub mod shared;
pub mod status;
pub mod strategy_door;
