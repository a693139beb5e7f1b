//! Similar cases at the door.

use crate::domain::case::WINDOW_DAYS;
use crate::domain::query::DecisionKey;
use crate::domain::similar::{ActionSummary, KindShare, SimilarCase, SimilarCases, SimilarQuery};
use crate::wire::case::window_to_pb;
use crate::wire::check::{Check, Door, Path, order_key_to_pb, time_to_pb};
use crate::wire::decision::text_to_pb;
use crate::wire::enums::WireEnum as _;
use crate::wire::error::Error;
use crate::wire::feedback::read_decision_id;
use crate::wire::pb::v1 as pb;

/// Cases to name when the caller tells no number.
pub const CASES_DEFAULT: u32 = 20;
/// Most cases to name.
pub const CASES_MAX: u32 = 100;
/// Days to count when the caller tells no number.
pub const DAYS_DEFAULT: u32 = 90;

/// Reads which similar cases are wanted.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_similar(
    request: pb::FindSimilarCasesRequest,
    door: Door<'_>,
) -> Result<SimilarQuery, Error> {
    use pb::find_similar_cases_request::Key;
    let mut check = Check::at_door(door);
    let root = Path::Root;
    let key = check.required(&root.field("key"), request.key, |check, _, key| match key {
        Key::DecisionId(id) => {
            read_decision_id(check, &root.field("decision_id"), &id).map(DecisionKey::Id)
        }
        Key::Order(key) => check.order_key(&root.field("order"), key).map(DecisionKey::Order),
    });
    let asked = |number: u32, usual: u32| if number == 0 { usual } else { number };
    let n_max = asked(request.max_cases, CASES_DEFAULT);
    if CASES_MAX < n_max {
        check.note(&root.field("max_cases"), format!("{n_max} is more than {CASES_MAX}"));
    }
    let days = asked(request.days, DAYS_DEFAULT);
    if !WINDOW_DAYS.contains(&days) {
        let known = WINDOW_DAYS.map(|days| days.to_string()).join(", ");
        check.note(&root.field("days"), format!("{days} is none of {known}"));
    }
    check.finish(key.map(|key| SimilarQuery { key, n_max, days }))
}

/// The message for similar cases.
pub fn similar_to_pb(similar: &SimilarCases) -> pb::FindSimilarCasesResponse {
    pb::FindSimilarCasesResponse {
        decision_id: similar.decision_id.to_string(),
        order: Some(order_key_to_pb(&similar.order)),
        model: similar.model.to_string(),
        days: similar.days,
        cases: similar.neighbors.iter().map(case_to_pb).collect(),
        by_action: similar.by_action.iter().map(summary_to_pb).collect(),
        n_compared: similar.searched.n_compared,
        n_other_model: similar.searched.n_other_model,
        is_truncated: similar.searched.is_truncated,
        caveat: Some(text_to_pb(&similar.caveat)),
    }
}

fn case_to_pb(case: &SimilarCase) -> pb::SimilarCase {
    pb::SimilarCase {
        decision_id: case.decision_id.to_string(),
        order: Some(order_key_to_pb(&case.order)),
        distance: case.distance,
        action: case.action.to_wire(),
        choice_id: case.choice_id.as_deref().map(str::to_owned),
        acted_at: Some(time_to_pb(case.acted_at)),
        window: Some(window_to_pb(&case.window, Some(&case.text))),
    }
}

fn summary_to_pb(summary: &ActionSummary) -> pb::ActionSummary {
    pb::ActionSummary {
        action: summary.action.to_wire(),
        n_cases: summary.n_cases,
        n_complete: summary.n_complete,
        shares: summary.shares.iter().map(share_to_pb).collect(),
        text: Some(text_to_pb(&summary.text)),
    }
}

fn share_to_pb(KindShare { kind, share }: &KindShare) -> pb::KindShare {
    pb::KindShare {
        kind: kind.to_wire(),
        count: share.count,
        of: share.of,
        share: share.share,
        low: share.low,
        high: share.high,
    }
}

#[cfg(test)]
mod tests {
    use pb::find_similar_cases_request::Key;

    use super::*;
    use crate::domain::entity::IdentityKey;
    use crate::domain::time::Timestamp;

    fn read(request: pb::FindSimilarCasesRequest) -> Result<SimilarQuery, Error> {
        let identity = IdentityKey::from_secret(b"test");
        read_similar(request, Door { identity: &identity, now: Timestamp(0) })
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let key = Some(Key::DecisionId("none".to_owned()));
        let asked = pb::FindSimilarCasesRequest { key, max_cases: 101, days: 60 };
        let asked_nothing = pb::FindSimilarCasesRequest { key: None, ..asked.clone() };
        for (request, first) in [(asked, "decision_id"), (asked_nothing, "key")] {
            let Err(Error::Invalid(violations)) = read(request) else { panic!("it was taken") };
            let fields: Vec<&str> = violations.iter().map(|it| it.field.as_str()).collect();
            assert_eq!(fields, [first, "max_cases", "days"]);
        }
    }

    #[test]
    fn what_is_not_told_has_its_usual_value_and_limits_are_within() {
        let key = Some(Key::DecisionId("00000000-0000-7000-8000-000000000000".to_owned()));
        let usual = pb::FindSimilarCasesRequest { key, max_cases: 0, days: 0 };
        let query = read(usual.clone()).unwrap();
        assert_eq!((query.n_max, query.days), (20, 90));
        for days in WINDOW_DAYS {
            let request = pb::FindSimilarCasesRequest { max_cases: 100, days, ..usual.clone() };
            let query = read(request).unwrap();
            assert_eq!((query.n_max, query.days), (100, days));
        }
    }
}
