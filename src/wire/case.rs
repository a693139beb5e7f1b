//! Cases at the door.

use crate::domain::case::{Case, CaseWindow, Consequence, Overruled, Retracted};
use crate::domain::money::Money;
use crate::domain::query::DecisionKey;
use crate::domain::text::Text;
use crate::wire::check::{Check, Door, Path, money_to_pb, order_key_to_pb, time_to_pb};
use crate::wire::decision::text_to_pb;
use crate::wire::enums::WireEnum as _;
use crate::wire::error::Error;
use crate::wire::feedback::read_decision_id;
use crate::wire::pb::v1 as pb;

/// Reads which case is wanted.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_case(request: pb::GetCaseRequest, door: Door<'_>) -> Result<DecisionKey, Error> {
    let mut check = Check::at_door(door);
    let root = Path::Root;
    let key = check.required(&root.field("key"), request.key, |check, _, key| match key {
        pb::get_case_request::Key::DecisionId(id) => {
            read_decision_id(check, &root.field("decision_id"), &id).map(DecisionKey::Id)
        }
        pb::get_case_request::Key::Order(key) => {
            check.order_key(&root.field("order"), key).map(DecisionKey::Order)
        }
    });
    check.finish(key)
}

/// The message for a case.
pub fn case_to_pb(case: &Case) -> pb::Case {
    let texts = case.texts.iter().map(Some).chain(std::iter::repeat(None));
    pb::Case {
        decision_id: case.decision_id.to_string(),
        order: Some(order_key_to_pb(&case.order)),
        suspected_head_id: case.suspected.as_ref().map_or_else(String::new, |it| it.0.to_string()),
        action: case.action.to_wire(),
        choice_id: case.choice_id.as_deref().map(str::to_owned),
        acted_at: Some(time_to_pb(case.acted_at)),
        windows: case.windows.iter().zip(texts).map(|(it, text)| window_to_pb(it, text)).collect(),
        overruled: case.overruled.iter().map(overruled_to_pb).collect(),
        n_before: case.n_before,
        retracted: case.retracted.iter().map(retracted_to_pb).collect(),
        n_repeated: case.n_repeated,
    }
}

/// The message for a window and its sentence.
pub fn window_to_pb(window: &CaseWindow, text: Option<&Text>) -> pb::CaseWindow {
    pb::CaseWindow {
        days: window.days,
        elapsed: window.elapsed,
        consequences: window.consequences.iter().map(consequence_to_pb).collect(),
        net: sums_to_pb(&window.net),
        text: text.map(text_to_pb),
    }
}

fn consequence_to_pb(consequence: &Consequence) -> pb::Consequence {
    pb::Consequence {
        kind: consequence.kind.to_wire(),
        count: consequence.count,
        worth: sums_to_pb(&consequence.worth),
        outcome_ids: consequence.outcome_ids.iter().map(ToString::to_string).collect(),
    }
}

fn overruled_to_pb(overruled: &Overruled) -> pb::OverruledOutcome {
    pb::OverruledOutcome {
        outcome_id: overruled.outcome_id.to_string(),
        overruled_by: overruled.by.to_string(),
    }
}

fn retracted_to_pb(retracted: &Retracted) -> pb::RetractedOutcome {
    pb::RetractedOutcome {
        outcome_id: retracted.outcome_id.to_string(),
        retracted_by: retracted.by.to_string(),
    }
}

fn sums_to_pb(sums: &[Money]) -> Vec<pb::Money> {
    sums.iter().copied().map(money_to_pb).collect()
}
