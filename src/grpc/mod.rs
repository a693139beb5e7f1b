//! The gRPC door: services over [`crate::workflow::service::OrderService`].

pub mod access_door;
pub mod attribution;
pub mod call_counts;
pub mod case_door;
pub mod counted;
pub mod deadline;
pub mod decision_door;
pub mod entrance;
pub mod event_door;
pub mod experiment_door;
pub mod feedback_door;
pub mod gate;
pub mod graph_door;
pub mod limit;
pub mod message_count;
pub mod methods;
pub mod model_door;
pub mod replica_health;
pub mod review_door;
pub mod scored;
pub mod server;
pub mod shared;
pub mod spans;
pub mod status;
pub mod strategy_door;
pub mod watch;
