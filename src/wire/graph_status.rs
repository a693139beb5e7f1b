//! How full the graph is, as the door answers it.

use crate::domain::graph_status::GraphStatus;
use crate::wire::check::time_to_pb;
use crate::wire::pb::v1 as pb;

/// The message for the status of the graph as folded up to a journal position.
pub fn to_pb(status: &GraphStatus, graph_position: u64) -> pb::GetGraphStatusResponse {
    let GraphStatus { n_entities, n_orders_kept, shed_until, is_cut_by_shedding, counts } = *status;
    pb::GetGraphStatusResponse {
        graph_position,
        n_entities,
        n_orders_kept,
        shed_until: shed_until.map(time_to_pb),
        is_cut_by_shedding,
        n_orders: counts.n_orders,
        n_too_late: counts.n_too_late,
        n_repeated: counts.n_repeated,
        n_early_dropped: counts.n_early_dropped,
        n_words_shared: counts.n_words_shared,
        n_words_left_out: counts.n_words_left_out,
        n_shed: counts.n_shed,
    }
}
