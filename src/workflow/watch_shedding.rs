//! Notices that the graph sheds orders: once for each day that it loses.

use crate::domain::graph_status::GraphStatus;
use crate::domain::time::Timestamp;

/// The last day of event time that was spoken of.
#[derive(Debug, Default)]
pub struct ShedWatch {
    day: Option<i64>,
}

impl ShedWatch {
    /// Up to when orders were shed, if that cuts reads and was not yet said of this day (UTC).
    pub fn news(&mut self, status: &GraphStatus) -> Option<Timestamp> {
        let until = status.shed_until.filter(|_| status.is_cut_by_shedding)?;
        let day = Some(until.day_number());
        if day <= self.day {
            return None;
        }
        self.day = day;
        Some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::graph_status::GraphCounts;
    use crate::domain::time::Span;

    fn status(shed_until: Option<Timestamp>) -> GraphStatus {
        GraphStatus {
            n_entities: 0,
            n_orders_kept: 0,
            shed_until,
            is_cut_by_shedding: shed_until.is_some(),
            counts: GraphCounts::default(),
        }
    }

    #[test]
    fn shedding_is_news_once_a_day_of_the_orders_that_are_lost() {
        let mut watch = ShedWatch::default();
        assert_eq!(watch.news(&status(None)), None);
        let hours = [30, 30, 31, 47, 48, 49, 100];
        let until = hours.map(|hour| Timestamp(Span::hours(hour).0));
        let news = until.map(|until| watch.news(&status(Some(until))).is_some());
        assert_eq!(news, [true, false, false, false, true, false, true]);
    }

    #[test]
    fn what_the_retention_has_passed_is_no_news() {
        let shed = status(Some(Timestamp(0)));
        let passed = GraphStatus { is_cut_by_shedding: false, ..shed };
        let mut watch = ShedWatch::default();
        assert_eq!(watch.news(&passed), None);
        assert_eq!(watch.news(&shed), Some(Timestamp(0)));
    }
}
