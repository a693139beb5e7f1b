//! What a comparison of two decisions notices.

use crate::domain::decision::{Decision, StageTiming};
use crate::workflow::approved_orders::BackgroundRule;
use crate::workflow::fixtures::{at, bundle, judge, new_id, request};
use crate::workflow::judge_order::Stamp;
use crate::workflow::replay_decision::differences;
use crate::workflow::state::State;

fn decision() -> Decision {
    let mut state = State::empty(BackgroundRule::OFF);
    let stamp = Stamp { decision_id: new_id(at(0)), received_time: at(10) };
    judge(bundle(), "plain").judge(&mut state, &request(1), &stamp, || 0)
}

/// A change of a decision and the path that it shows at.
type Change = (&'static str, fn(&mut Decision));

#[test]
fn the_smallest_change_of_any_field_is_found_at_its_path() {
    let changes: [Change; 10] = [
        ("request_id", |d| d.request_id = "other".into()),
        ("times", |d| d.times.received_time = at(11)),
        ("versions", |d| d.versions.graph_position += 1),
        ("features", |d| d.features[0] = -0.0),
        ("missing_inputs", |d| d.missing_inputs.clear()),
        ("risks[0].base", |d| d.risks[0].base = d.risks[0].base.next_up()),
        ("risks[0].residual", |d| d.risks[0].residual = -d.risks[0].residual),
        ("risks[0].n_support", |d| d.risks[0].n_support += 1),
        ("risks[0].rest", |d| d.risks[0].rest.n_features += 1),
        ("actions", |d| d.actions.truncate(1)),
    ];
    for (path, change) in changes {
        let mut recorded = decision();
        recorded.features[0] = 0.0;
        let mut again = recorded.clone();
        assert_eq!(differences(&recorded, &again), []);
        change(&mut again);
        let found = differences(&recorded, &again);
        let paths: Vec<&str> = found.iter().map(|found| &*found.path).collect();
        assert_eq!(paths, [path]);
        assert_ne!(found[0].recorded, found[0].replayed);
    }
}

#[test]
fn a_risk_that_is_gone_is_found_and_other_timings_are_no_difference() {
    let recorded = decision();
    let mut again = recorded.clone();
    again.risks.clear();
    assert_eq!(&*differences(&recorded, &again)[0].path, "risks.len");
    let mut slower = recorded.clone();
    let timings = recorded.stage_timings.iter();
    slower.stage_timings = timings.map(|t| StageTiming { nanos: t.nanos + 1, ..*t }).collect();
    assert_eq!(differences(&recorded, &slower), []);
}
