//! What is drawn for declined orders, and what that cost and showed.

use crate::domain::exploration::{Exploration, ExplorationLimit, ExplorationReport};
use crate::domain::risk::Probability;
use crate::wire::enums::WireEnum as _;
use crate::wire::pb::v1 as pb;

/// The message for what was drawn.
pub(super) fn exploration_to_pb(drawn: &Exploration) -> pb::Exploration {
    pb::Exploration {
        propensity: drawn.propensity.value(),
        is_released: drawn.is_released,
        at_risk_minor: drawn.at_risk_minor,
        withheld_by: drawn.withheld_by.map_or(0, ExplorationLimit::to_wire),
    }
}

/// What was drawn.
pub(super) fn read_exploration(drawn: pb::Exploration) -> Exploration {
    Exploration {
        propensity: Probability::clamped(drawn.propensity),
        is_released: drawn.is_released,
        at_risk_minor: drawn.at_risk_minor,
        withheld_by: ExplorationLimit::from_wire(drawn.withheld_by),
    }
}

/// The message for a report.
pub fn exploration_report_to_pb(report: &ExplorationReport) -> pb::GetExplorationReportResponse {
    let limits = [ExplorationLimit::Hour, ExplorationLimit::Day, ExplorationLimit::Month];
    let spending = limits.into_iter().zip(&report.spent);
    let withheld = ExplorationLimit::ALL.into_iter().zip(report.n_withheld);
    pb::GetExplorationReportResponse {
        is_on: report.is_on,
        currency_code: report.currency.to_string(),
        spending: spending
            .map(|(limit, (spent_minor, max_minor))| pb::ExplorationSpending {
                limit: limit.to_wire(),
                spent_minor: *spent_minor,
                max_minor: *max_minor,
            })
            .collect(),
        n_released: report.n_released,
        n_good: report.n_good,
        n_bad: report.n_bad,
        bad_minor: report.bad_minor,
        n_not_drawn: report.n_not_drawn,
        withheld: withheld
            .map(|(limit, n)| pb::ExplorationWithheld { limit: limit.to_wire(), n })
            .collect(),
    }
}
