//! Views of the graph: questions read at the door, answers written.

use crate::domain::identity::{Identity, IdentityEvidence};
use crate::domain::neighborhood::{
    FAN_OUT_MAX, HOPS_MAX, Neighborhood, NeighborhoodEdge, NeighborhoodNode, NeighborhoodQuery,
    SEEDS_MAX, VIEW_NODES_MAX,
};
use crate::domain::order_step::LostStep;
use crate::wire::check::{Check, Door, Path, entity_to_pb, time_to_pb};
use crate::wire::enums::WireEnum;
use crate::wire::error::Error;
use crate::wire::pb::v1 as pb;

/// Hops walked when the caller does not say how many.
pub const HOPS_DEFAULT: u32 = 1;
/// Nodes shown when the caller does not say how many.
pub const NODES_DEFAULT: u32 = 100;
/// Links followed from one node when the caller does not say how many.
pub const FAN_OUT_DEFAULT: u32 = 20;

/// Reads what part of the graph is asked for.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read(
    request: pb::GetNeighborhoodRequest,
    door: Door<'_>,
) -> Result<NeighborhoodQuery, Error> {
    let mut check = Check::at_door(door);
    let read = read_query(&mut check, request);
    check.finish(read)
}

fn read_query(
    check: &mut Check<'_>,
    request: pb::GetNeighborhoodRequest,
) -> Option<NeighborhoodQuery> {
    let root = Path::Root;
    let at = root.field("seeds");
    if request.seeds.is_empty() || SEEDS_MAX < request.seeds.len() {
        check.note(&at, format!("must have 1 to {SEEDS_MAX} entities"));
        return None;
    }
    let mut seeds = Vec::with_capacity(request.seeds.len());
    for (idx, seed) in request.seeds.into_iter().enumerate() {
        let path = at.index(idx);
        let Some(seed) = check.entity(&path, seed) else { continue };
        if seeds.contains(&seed) {
            check.note(&path, "is named twice");
        }
        seeds.push(seed);
    }
    let at = root.field("kinds");
    let kinds = request.kinds.into_iter().enumerate();
    let kinds = kinds.filter_map(|(idx, kind)| check.choice(&at.index(idx), kind)).collect();
    let at = root.field("since");
    let since = request.since.and_then(|time| check.time(&at, time));
    let as_of = request.as_of.and_then(|time| check.past(&root.field("as_of"), time));
    if since.is_some_and(|since| as_of.is_some_and(|as_of| as_of < since)) {
        check.note(&at, "must not be after as_of");
    }
    let mut limit = |name, asked, default, max| {
        if max < asked {
            check.note(&root.field(name), format!("must be at most {max}"));
        }
        if asked == 0 { default } else { asked }
    };
    Some(NeighborhoodQuery {
        seeds,
        n_hops: limit("hops", request.hops, HOPS_DEFAULT, HOPS_MAX),
        kinds,
        since,
        as_of,
        n_nodes_max: limit("nodes_max", request.nodes_max, NODES_DEFAULT, VIEW_NODES_MAX),
        fan_out_max: limit("fan_out_max", request.fan_out_max, FAN_OUT_DEFAULT, FAN_OUT_MAX),
    })
}

/// The message for a view of the graph as folded up to a journal position.
pub fn to_pb(view: &Neighborhood, graph_position: u64) -> pb::GetNeighborhoodResponse {
    pb::GetNeighborhoodResponse {
        nodes: view.nodes.iter().map(node_to_pb).collect(),
        edges: view.edges.iter().map(edge_to_pb).collect(),
        identities: view.identities.iter().map(identity_to_pb).collect(),
        is_truncated: view.is_truncated,
        as_of: Some(time_to_pb(view.as_of)),
        graph_position,
    }
}

fn node_to_pb(node: &NeighborhoodNode) -> pb::NeighborhoodNode {
    pb::NeighborhoodNode {
        entity: Some(entity_to_pb(&node.entity)),
        label: node.entity.label(),
        hops: node.n_hops,
        n_orders: node.n_orders,
        n_bad: node.n_bad,
        is_hub: node.is_hub,
        lost_steps: node.lost_steps.iter().map(lost_step_to_pb).collect(),
        first_seen: node.first_seen.map(time_to_pb),
        last_seen: node.last_seen.map(time_to_pb),
        is_truncated: node.is_truncated,
    }
}

fn lost_step_to_pb(lost: &LostStep) -> pb::LostStep {
    pb::LostStep {
        lost: lost.lost.to_wire(),
        lost_time: Some(time_to_pb(lost.lost_time)),
        stands: lost.stands.to_wire(),
        stands_time: Some(time_to_pb(lost.stands_time)),
    }
}

fn edge_to_pb(edge: &NeighborhoodEdge) -> pb::NeighborhoodEdge {
    pb::NeighborhoodEdge {
        from: edge.from,
        to: edge.to,
        n_orders: edge.n_orders,
        first_seen: Some(time_to_pb(edge.first_seen)),
        last_seen: Some(time_to_pb(edge.last_seen)),
    }
}

fn identity_to_pb(identity: &Identity) -> pb::Identity {
    pb::Identity {
        account: Some(entity_to_pb(&identity.account)),
        other: Some(entity_to_pb(&identity.other)),
        other_label: identity.other.label(),
        confidence: identity.confidence,
        evidence: identity.evidence.iter().map(evidence_to_pb).collect(),
    }
}

fn evidence_to_pb(evidence: &IdentityEvidence) -> pb::IdentityEvidence {
    pb::IdentityEvidence {
        carriers: evidence.carriers.iter().map(entity_to_pb).collect(),
        n_orders: evidence.n_orders,
        first_seen: Some(time_to_pb(evidence.first_seen)),
        last_seen: Some(time_to_pb(evidence.last_seen)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entity::{EntityKind, IdentityKey};
    use crate::domain::time::Timestamp;

    fn violations(request: pb::GetNeighborhoodRequest) -> Vec<String> {
        let identity = IdentityKey::from_secret(b"test");
        let door = Door { identity: &identity, now: Timestamp(1_771_272_000_000_000) };
        match read(request, door) {
            Ok(_) => Vec::new(),
            Err(Error::Invalid(violations)) => {
                violations.into_iter().map(|violation| violation.field).collect()
            }
            Err(other) => panic!("{other}"),
        }
    }

    fn seed(id: &str) -> pb::Entity {
        pb::Entity { kind: pb::EntityKind::Ip.into(), id: id.to_owned() }
    }

    #[test]
    fn what_is_not_said_takes_its_default_and_personal_seeds_are_sealed() {
        let identity = IdentityKey::from_secret(b"test");
        let door = Door { identity: &identity, now: Timestamp(0) };
        let seeds = vec![seed("203.0.113.9")];
        let request = pb::GetNeighborhoodRequest { seeds, ..Default::default() };
        let query = read(request, door).unwrap();
        assert_eq!(query.seeds, [identity.entity(EntityKind::Ip, "203.0.113.9")]);
        let limits = (query.n_hops, query.n_nodes_max, query.fan_out_max);
        assert_eq!(limits, (HOPS_DEFAULT, NODES_DEFAULT, FAN_OUT_DEFAULT));
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let wrong = pb::GetNeighborhoodRequest {
            seeds: vec![seed("a"), seed("a"), seed("")],
            hops: HOPS_MAX + 1,
            kinds: vec![0, 99],
            since: time(200),
            as_of: time(100),
            nodes_max: VIEW_NODES_MAX + 1,
            fan_out_max: FAN_OUT_MAX + 1,
        };
        let fields = [
            "seeds[1]",
            "seeds[2].id",
            "kinds[0]",
            "kinds[1]",
            "since",
            "hops",
            "nodes_max",
            "fan_out_max",
        ];
        assert_eq!(violations(wrong), fields);
        assert_eq!(violations(pb::GetNeighborhoodRequest::default()), ["seeds"]);
    }
}
