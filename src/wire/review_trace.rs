//! How an order was looked at, to and from its message.

use crate::domain::review_trace::{ReasonCode, ReviewTrace};
use crate::domain::time::Timestamp;
use crate::wire::check::{Check, Path, time_to_pb};
use crate::wire::enums::WireEnum;
use crate::wire::pb::v1 as pb;

/// The choice that a review ended with, as far as it could be read.
#[derive(Clone, Copy, Debug)]
pub struct Reviewed<'p> {
    /// When the order was opened.
    pub opened_at: Option<Timestamp>,
    /// When they decided.
    pub decided_at: Option<Timestamp>,
    /// Where the message says when the order was opened.
    pub opened_path: &'p Path<'p>,
}

/// The message for a review.
pub fn review_to_pb(review: &ReviewTrace) -> pb::ReviewTrace {
    pb::ReviewTrace {
        first_input_at: review.first_input_at.map(time_to_pb),
        active_ms: review.active_ms,
        explanation: review.explanation.to_wire(),
        alert_worth: review.alert_worth.map_or(0, WireEnum::to_wire),
        reason_codes: review.reason_codes.iter().map(|code| code.to_wire()).collect(),
    }
}

/// Reads a review.
pub fn read_review(
    check: &mut Check<'_>,
    path: &Path<'_>,
    review: &pb::ReviewTrace,
    reviewed: &Reviewed<'_>,
) -> Option<ReviewTrace> {
    let by_input = path.field("first_input_at");
    let first_input_at = review.first_input_at.and_then(|at| check.past(&by_input, at));
    let explanation = check.choice(&path.field("explanation"), review.explanation);
    let alert_worth = check.choice_or_none(&path.field("alert_worth"), review.alert_worth);
    let reason_codes = read_reasons(check, &path.field("reason_codes"), &review.reason_codes);
    if check.is_at_door() {
        check_times(check, path, (first_input_at, review.active_ms), reviewed);
    }
    Some(ReviewTrace {
        first_input_at,
        active_ms: review.active_ms,
        explanation: explanation?,
        alert_worth,
        reason_codes,
    })
}

fn read_reasons(check: &mut Check<'_>, path: &Path<'_>, codes: &[i32]) -> Vec<ReasonCode> {
    let mut read: Vec<ReasonCode> = Vec::new();
    for (idx, number) in codes.iter().enumerate() {
        let at = path.index(idx);
        let Some(code) = check.choice(&at, *number) else { continue };
        if read.contains(&code) && check.is_at_door() {
            check.note(&at, "is given twice");
        } else {
            read.push(code);
        }
    }
    read
}

fn check_times(
    check: &mut Check<'_>,
    path: &Path<'_>,
    (first_input_at, active_ms): (Option<Timestamp>, u64),
    reviewed: &Reviewed<'_>,
) {
    let by_input = path.field("first_input_at");
    if first_input_at.zip(reviewed.opened_at).is_some_and(|(input, opened)| input < opened) {
        check.note(&by_input, "is earlier than opened_at");
    }
    if first_input_at.zip(reviewed.decided_at).is_some_and(|(input, end)| end < input) {
        check.note(&by_input, "is later than decided_at");
    }
    let Some(opened_at) = reviewed.opened_at else {
        check.note(reviewed.opened_path, "is required with a review");
        return;
    };
    let Some(decided_at) = reviewed.decided_at else { return };
    // An order that was opened after the decision is told where that is checked.
    let wall = u64::try_from((decided_at - opened_at).0);
    if wall.is_ok_and(|wall_us| wall_us < active_ms.saturating_mul(1_000)) {
        check.note(&path.field("active_ms"), "is more than decided_at - opened_at");
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::Timestamp as Instant;

    use super::*;
    use crate::domain::entity::IdentityKey;
    use crate::domain::feedback::OperatorChoice;
    use crate::domain::review_trace::{AlertWorth, Explanation};
    use crate::wire::check::Door;
    use crate::wire::error::Error;
    use crate::wire::feedback::{choice_to_pb, read_choice};

    fn at(seconds: i64) -> Instant {
        Instant { seconds, nanos: 0 }
    }

    /// Opened at 100 seconds, decided at 160.
    fn message(review: Option<pb::ReviewTrace>) -> pb::OperatorChoice {
        pb::OperatorChoice {
            choice_id: "c".to_owned(),
            decision_id: "019c6a3e-0000-7000-8000-000000000001".to_owned(),
            operator_id: "op".to_owned(),
            action: pb::ActionKind::Hold.into(),
            opened_at: Some(at(100)),
            decided_at: Some(at(160)),
            review,
            ..pb::OperatorChoice::default()
        }
    }

    fn review() -> pb::ReviewTrace {
        pb::ReviewTrace {
            first_input_at: Some(at(101)),
            active_ms: 60_000,
            explanation: pb::Explanation::Blind.into(),
            alert_worth: pb::AlertWorth::FalsePositive.into(),
            reason_codes: vec![pb::ReasonCode::Travel.into(), pb::ReasonCode::Other.into()],
        }
    }

    fn at_door(choice: pb::OperatorChoice) -> Result<OperatorChoice, Error> {
        let identity = IdentityKey::from_secret(b"test");
        let mut check = Check::at_door(Door { identity: &identity, now: Timestamp(200_000_000) });
        let read = read_choice(&mut check, &Path::Root, choice);
        check.finish(read)
    }

    fn wrong_fields(choice: pb::OperatorChoice) -> Vec<String> {
        match at_door(choice) {
            Err(Error::Invalid(all)) => all.into_iter().map(|it| it.field).collect(),
            Ok(_) | Err(Error::Decode(_)) => Vec::new(),
        }
    }

    #[test]
    fn a_review_comes_back_as_it_went_and_an_older_choice_is_written_as_it_was() {
        let given = message(Some(review()));
        let choice = at_door(given.clone()).unwrap();
        let trace = choice.review.as_ref().unwrap();
        assert_eq!(
            (trace.explanation, trace.alert_worth, &*trace.reason_codes),
            (
                Explanation::Blind,
                Some(AlertWorth::FalsePositive),
                &[ReasonCode::Travel, ReasonCode::Other][..]
            )
        );
        assert_eq!(choice_to_pb(&choice), given);
        let old = message(None).encode_to_vec();
        let mut check = Check::of_journal();
        let read = pb::OperatorChoice::decode(&*old).unwrap();
        let read = read_choice(&mut check, &Path::Root, read).unwrap();
        assert_eq!((&read.review, choice_to_pb(&read).encode_to_vec()), (&None, old));
    }

    #[test]
    fn every_wrong_field_of_a_review_is_named() {
        let travel = pb::ReasonCode::Travel.into();
        for (changed, expected) in [
            (pb::ReviewTrace { active_ms: 60_001, ..review() }, vec!["review.active_ms"]),
            (pb::ReviewTrace { active_ms: u64::MAX, ..review() }, vec!["review.active_ms"]),
            (
                pb::ReviewTrace { first_input_at: Some(at(99)), ..review() },
                vec!["review.first_input_at"],
            ),
            (
                pb::ReviewTrace { first_input_at: Some(at(161)), ..review() },
                vec!["review.first_input_at"],
            ),
            (
                pb::ReviewTrace { explanation: 0, alert_worth: 9, ..review() },
                vec!["review.explanation", "review.alert_worth"],
            ),
            (
                pb::ReviewTrace { reason_codes: vec![travel, 0, 99, travel], ..review() },
                vec!["review.reason_codes[1]", "review.reason_codes[2]", "review.reason_codes[3]"],
            ),
        ] {
            assert_eq!(wrong_fields(message(Some(changed.clone()))), expected, "{changed:?}");
        }
        let unopened = pb::OperatorChoice { opened_at: None, ..message(Some(review())) };
        assert_eq!(wrong_fields(unopened), ["opened_at"]);
        let backwards = pb::OperatorChoice { opened_at: Some(at(170)), ..message(Some(review())) };
        assert_eq!(wrong_fields(backwards), ["opened_at", "review.first_input_at"]);
    }
}
