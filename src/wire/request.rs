//! Requests of the decision service, read at the door.

use blake3::Hasher;
use prost::Message;
use uuid::Uuid;

use crate::domain::decision::DecisionId;
use crate::domain::order::OrderKey;
use crate::domain::query::{DecisionFilter, DecisionKey, DecisionQuery};
use crate::domain::record::ScoreRequest;
use crate::wire::check::{Check, Door, Path};
use crate::wire::decision::{CONTRIBUTIONS_MAX, Explain, TOP_K};
use crate::wire::error::Error;
use crate::wire::feedback::read_decision_id;
use crate::wire::order;
use crate::wire::pb::v1 as pb;

/// Actions that an answer recommends when the caller does not say how many.
pub const ACTIONS_DEFAULT: u32 = 3;
/// Most actions an answer recommends.
pub const ACTIONS_MAX: u32 = 10;
/// Decisions on a page when the caller does not say how many.
pub const PAGE_SIZE_DEFAULT: u32 = 50;
/// Most decisions on a page.
pub const PAGE_SIZE_MAX: u32 = 200;

/// A request for a score, with what concerns only the door.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreOrder {
    /// What is asked.
    pub request: ScoreRequest,
    /// How much of the explanation to return.
    pub explain: Explain,
    /// Whether the decision is kept.
    pub recording: Recording,
    /// Strategy that the caller insists on; `None` takes the active one.
    pub strategy: Option<Box<str>>,
}

/// Whether a decision is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recording {
    /// On disk before it is answered.
    Recorded,
    /// A dry run: nothing remembers it.
    DryRun,
}

/// Reads a request for a score.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn score_order(request: pb::ScoreOrderRequest, door: Door<'_>) -> Result<ScoreOrder, Error> {
    let mut check = Check::at_door(door);
    let read = read_score_order(&mut check, &Path::Root, request);
    check.finish(read)
}

/// Reads a request for a score within another message.
pub fn read_score_order(
    check: &mut Check<'_>,
    path: &Path<'_>,
    request: pb::ScoreOrderRequest,
) -> Option<ScoreOrder> {
    let request_id = check.text(&path.field("request_id"), request.request_id);
    let event_time = check.required(&path.field("event_time"), request.event_time, Check::past);
    let order = check.required(&path.field("order"), request.order, order::read);
    if ACTIONS_MAX < request.max_actions {
        check.note(&path.field("max_actions"), format!("must be at most {ACTIONS_MAX}"));
    }
    let explain = read_explain(check, path, request.explain_level);
    let strategy = check.text(&path.field("strategy_ref"), request.strategy_ref);
    let (request_id, order, explain) = (request_id?, order?, explain?);
    let is_named = !request_id.is_empty();
    Some(ScoreOrder {
        request: ScoreRequest {
            request_id: if is_named { request_id } else { natural_id(&order.key) },
            event_time: event_time?,
            order,
            max_actions: match request.max_actions {
                0 => ACTIONS_DEFAULT,
                n => n,
            },
            max_contributions: match explain {
                Explain::None | Explain::TopK => TOP_K,
                Explain::Full => CONTRIBUTIONS_MAX,
            },
        },
        explain,
        recording: if request.dry_run { Recording::DryRun } else { Recording::Recorded },
        strategy: strategy.filter(|name| !name.is_empty()),
    })
}

/// The request id of a caller that gave none: the natural key of the order.
pub fn natural_id(key: &OrderKey) -> Box<str> {
    // The length keeps channel `a/b` with order `c` apart from channel `a` with order `b/c`.
    let OrderKey { channel, order_id, revision } = key;
    format!("order:{}:{channel}/{order_id}/{revision}", channel.len()).into_boxed_str()
}

/// Reads how much of the explanation to return.
pub fn read_explain(check: &mut Check<'_>, path: &Path<'_>, level: i32) -> Option<Explain> {
    match pb::ExplainLevel::try_from(level) {
        Ok(pb::ExplainLevel::Unspecified | pb::ExplainLevel::TopK) => Some(Explain::TopK),
        Ok(pb::ExplainLevel::None) => Some(Explain::None),
        Ok(pb::ExplainLevel::Full) => Some(Explain::Full),
        Err(_) => {
            check.note(&path.field("explain_level"), format!("{level} is not a known value"));
            None
        }
    }
}

/// Reads which decision is wanted.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn get_decision(
    request: pb::GetDecisionRequest,
    door: Door<'_>,
) -> Result<(DecisionKey, Explain), Error> {
    let mut check = Check::at_door(door);
    let root = Path::Root;
    let explain = read_explain(&mut check, &root, request.explain_level);
    let key = check.required(&root.field("key"), request.key, |check, _, key| match key {
        pb::get_decision_request::Key::DecisionId(id) => {
            read_decision_id(check, &root.field("decision_id"), &id).map(DecisionKey::Id)
        }
        pb::get_decision_request::Key::Order(key) => {
            check.order_key(&root.field("order"), key).map(DecisionKey::Order)
        }
    });
    check.finish(key.zip(explain))
}

/// Reads which decision to compute again.
///
/// # Errors
/// [`Error::Invalid`] when the id is none.
pub fn replay_decision(
    request: &pb::ReplayDecisionRequest,
    door: Door<'_>,
) -> Result<DecisionId, Error> {
    let mut check = Check::at_door(door);
    let path = Path::Root.field("decision_id");
    let id = read_decision_id(&mut check, &path, &request.decision_id);
    check.finish(id)
}

/// Reads which page of decisions is wanted.
///
/// # Errors
/// [`Error::Invalid`] with every violation; a token of another filter is one.
pub fn list_decisions(
    request: pb::ListDecisionsRequest,
    door: Door<'_>,
) -> Result<(DecisionQuery, Explain), Error> {
    let mut check = Check::at_door(door);
    let root = Path::Root;
    let explain = read_explain(&mut check, &root, request.explain_level);
    if PAGE_SIZE_MAX < request.page_size {
        let description = format!("must be at most {PAGE_SIZE_MAX}");
        check.note(&root.field("page_size"), description);
    }
    let token_path = root.field("page_token");
    let older_than = match request.page_token.as_str() {
        "" => None,
        token => {
            let id = read_token(token, request.filter.as_ref());
            if id.is_none() {
                check.note(&token_path, "is not a token of this filter");
            }
            id
        }
    };
    let filter = request.filter.map_or(Some(DecisionFilter::default()), |filter| {
        read_filter(&mut check, &root.field("filter"), filter)
    });
    let n_max = match request.page_size {
        0 => PAGE_SIZE_DEFAULT,
        n => n,
    };
    let query = filter.map(|filter| DecisionQuery { filter, older_than, n_max });
    check.finish(query.zip(explain))
}

fn read_filter(
    check: &mut Check<'_>,
    path: &Path<'_>,
    filter: pb::DecisionFilter,
) -> Option<DecisionFilter> {
    let channel = check.text(&path.field("channel"), filter.channel)?;
    let from = path.field("received_from");
    let until = path.field("received_until");
    Some(DecisionFilter {
        channel: (!channel.is_empty()).then_some(channel),
        received_from: filter.received_from.and_then(|time| check.time(&from, time)),
        received_until: filter.received_until.and_then(|time| check.time(&until, time)),
        band_at_least: check.choice_or_none(&path.field("band_at_least"), filter.band_at_least),
        first_action: check.choice_or_none(&path.field("first_action"), filter.first_action),
        state: check.choice_or_none(&path.field("state"), filter.state),
    })
}

/// The token of the page after this decision: the filter's hash and the decision's id.
pub fn page_token(filter: Option<&pb::DecisionFilter>, last: DecisionId) -> String {
    format!("{:016x}{}", filter_hash(filter), last.0.simple())
}

fn read_token(token: &str, filter: Option<&pb::DecisionFilter>) -> Option<DecisionId> {
    let (hash, id) = token.split_at_checked(16)?;
    let is_same = u64::from_str_radix(hash, 16).ok()? == filter_hash(filter);
    is_same.then_some(DecisionId(Uuid::try_parse(id).ok()?))
}

fn filter_hash(filter: Option<&pb::DecisionFilter>) -> u64 {
    let bytes = filter.map(Message::encode_to_vec).unwrap_or_default();
    let mut short = [0_u8; 8];
    Hasher::new().update(&bytes).finalize_xof().fill(&mut short);
    u64::from_be_bytes(short)
}
