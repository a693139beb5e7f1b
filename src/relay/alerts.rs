//! Sees what is worth a look and in no record: sources that miss their target.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::domain::time::{Span, Timestamp};
use crate::relay::courier::Alerts;
use crate::relay::notice::{Notice, NoticeKind};
use crate::workflow::event_health::report::{SourceHealth, Window};
use crate::workflow::event_health::{EventBoard, OTHER};

/// How often the sources are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// Burn in both the last five minutes and the last hour that is worth a look: a month's budget
/// gone in two days. The rules of `config/ops/prometheus-rules.yml` wake somebody at the same.
const BURN_MAX: f64 = 14.4;
/// An alert that lasts is told again after this long.
const AGAIN_AFTER: Span = Span::HOUR;

/// Looks until told to stop and leaves every alert with each courier.
pub async fn watch_sources(
    board: Arc<EventBoard>,
    couriers: Vec<Arc<Alerts>>,
    clock: fn() -> Timestamp,
    stopping: CancellationToken,
) {
    let mut told = BTreeMap::new();
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = sleep(LOOK_EVERY) => {}
        }
        let now = clock();
        for alert in new_alerts(&board.report(now), &mut told, now) {
            for courier in &couriers {
                courier.leave(alert.clone());
            }
        }
    }
}

/// Which source and kind was told of, and when.
type ToldAt = BTreeMap<(Box<str>, &'static str), Timestamp>;

fn new_alerts(sources: &[SourceHealth], told: &mut ToldAt, now: Timestamp) -> Vec<Notice> {
    let mut alerts = Vec::new();
    for source in sources {
        let key = (source.source.clone(), source.kind.as_str());
        let burn = |window: Window| source.windows[window as usize].burn.unwrap_or(0.0);
        let (short, long) = (burn(Window::FiveMinutes), burn(Window::Hour));
        // Nonsense of strangers is no source's fault.
        if short.min(long) <= BURN_MAX || *source.source == *OTHER {
            told.remove(&key);
            continue;
        }
        if told.get(&key).is_some_and(|at| now - *at < AGAIN_AFTER) {
            continue;
        }
        let id = format!("alert-events-{}-{}-{}", key.0, key.1, now.0);
        let data = json!({
            "source": source.source,
            "kind": source.kind.as_str(),
            "burn_5m": short,
            "burn_1h": long,
        });
        alerts.push(Notice::new(id, NoticeKind::Alert, "events.missing_target", now, &data));
        told.insert(key, now);
    }
    alerts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::event_health::{EventKind, EventObjective, Fate, Refusal};

    #[test]
    fn an_alert_is_told_once_while_it_lasts_and_anew_after_an_hour() {
        let now = Timestamp(1_771_272_000_000_000);
        let board = EventBoard::new(EventObjective { delay_max: Span::SECOND, target: 0.99 });
        let mut told = ToldAt::new();
        for n in 0..100 {
            board.hear("calm", EventKind::OrderPaid, Fate::Taken(now), now);
            let fate = if n < 50 { Fate::Taken(now) } else { Fate::Refused(Refusal::Invalid) };
            board.hear("bad", EventKind::OrderPaid, fate, now);
        }
        let report = board.report(now);
        let alerts = new_alerts(&report, &mut told, now);
        assert_eq!(alerts.len(), 1);
        assert!(alerts[0].id.starts_with("alert-events-bad-order_paid-"), "{alerts:?}");
        assert!(new_alerts(&report, &mut told, now + Span::minutes(59)).is_empty());
        assert_eq!(new_alerts(&report, &mut told, now + Span::HOUR).len(), 1);
        assert!(new_alerts(&[], &mut told, now).is_empty());
    }
}
