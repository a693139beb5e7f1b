//! Sees that scores or features have moved away, and tells it once.
//!
//! It looks once an hour, at samples that pages and metrics look at as well, on no thread that
//! judges. Told is a change: that something moved, and that it came back. Between the two
//! marks is room for chance, so that nothing is told back and forth.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::domain::drift::{LARGE_SHIFT, SMALL_SHIFT};
use crate::domain::time::Timestamp;
use crate::relay::courier::Alerts;
use crate::relay::notice::{Notice, NoticeKind};
use crate::workflow::error::Error;
use crate::workflow::score_drift::{HeadDrift, ScoreSamples};
use crate::workflow::service::OrderService;
use crate::workflow::watch_service::{FeatureShift, WatchService};

/// How often it looks.
pub const LOOK_EVERY: Duration = Duration::from_hours(1);
/// More features than this have moved far before that is told: one or two always do. The rules
/// of `config/ops/prometheus-rules.yml` say so at the same.
const FEATURES_MAX: usize = 3;
/// Letters of a day, `2026-11-28`, at the beginning of a time.
const DAY_CHARS: usize = 10;

/// What has moved, as far as it was told.
#[derive(Debug, Default)]
struct Told {
    heads: BTreeSet<Box<str>>,
    features: Option<Vec<Box<str>>>,
}

/// Looks until told to stop and leaves every change with each courier.
pub async fn watch_drift<S: OrderService + WatchService>(
    service: Arc<S>,
    couriers: Vec<Arc<Alerts>>,
    clock: fn() -> Timestamp,
    stopping: CancellationToken,
) {
    let mut told = Told::default();
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = sleep(LOOK_EVERY) => {}
        }
        match look(&*service, &mut told, clock()).await {
            Ok(alerts) => {
                for alert in alerts {
                    for courier in &couriers {
                        courier.leave(alert.clone());
                    }
                }
            }
            Err(error) => warn!(%error, "whether scores move is seen an hour later"),
        }
    }
}

async fn look<S: OrderService + WatchService>(
    service: &S,
    told: &mut Told,
    now: Timestamp,
) -> Result<Vec<Notice>, Error> {
    let mut alerts = of_heads(&ScoreSamples::read(service, now).await?.drift(), told, now);
    let sample = service.watch().await?.tally.features;
    alerts.extend(of_features(&service.feature_shifts(sample).await?, told, now));
    Ok(alerts)
}

/// Heads whose score moved far, and those that came back.
fn of_heads(drift: &[HeadDrift], told: &mut Told, now: Timestamp) -> Vec<Notice> {
    let mut alerts = Vec::new();
    for it in drift {
        // Too few decisions say nothing, also not that all is well.
        let Some(index) = it.index else { continue };
        let is_told = told.heads.contains(&*it.head.0);
        let state = if !is_told && LARGE_SHIFT <= index {
            told.heads.insert(it.head.0.clone());
            "moved"
        } else if is_told && index < SMALL_SHIFT {
            told.heads.remove(&*it.head.0);
            "back"
        } else {
            continue;
        };
        let data = json!({
            "head": it.head, "state": state, "index": index,
            "mean_before": it.before, "mean_now": it.now,
        });
        alerts.push(alert("scores.moved", (&it.head.0, state), &data, now));
    }
    alerts
}

/// Features that moved far, once there are too many of them, and once there are not any more.
fn of_features(shifts: &[FeatureShift], told: &mut Told, now: Timestamp) -> Vec<Notice> {
    if shifts.is_empty() {
        return Vec::new();
    }
    let above = |mark: f64| {
        let far = shifts.iter().filter(|it| mark <= it.index);
        far.map(|it| it.feature.clone()).collect::<Vec<_>>()
    };
    let far = above(LARGE_SHIFT);
    let (state, features) = match &told.features {
        None if FEATURES_MAX < far.len() => ("moved", far),
        // Of those that were told, most are near again.
        Some(before) if still(before, &above(SMALL_SHIFT)) <= FEATURES_MAX => ("back", far),
        None | Some(_) => return Vec::new(),
    };
    let data = json!({ "state": state, "features": features });
    told.features = (state == "moved").then_some(features);
    vec![alert("features.moved", ("features", state), &data, now)]
}

fn still(before: &[Box<str>], now: &[Box<str>]) -> usize {
    before.iter().filter(|it| now.contains(it)).count()
}

/// The same on every replica and after a restart, within a day.
fn alert(name: &str, (what, state): (&str, &str), data: &Value, now: Timestamp) -> Notice {
    let day = now.to_string();
    let day = day.get(..DAY_CHARS).unwrap_or(&day);
    let id = format!("alert-drift-{what}-{state}-{day}");
    Notice::new(id, NoticeKind::Alert, name, now, data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entity::EntityKind;
    use crate::domain::head::HeadId;
    use crate::workflow::engine_tests::{open_with, score};
    use crate::workflow::fixtures::{at, bundle, entity, request};

    const NOW: Timestamp = Timestamp(1_771_272_000_000_000);

    #[test]
    fn a_head_is_told_when_it_moves_and_when_it_is_back_and_not_in_between() {
        let mut told = Told::default();
        let mut ids = |index: Option<f64>| {
            let head = HeadId("payment_fraud".into());
            let drift = [HeadDrift { head, before: Some(0.1), now: Some(0.3), index }];
            let alerts = of_heads(&drift, &mut told, NOW).into_iter();
            alerts.map(|it| it.id).collect::<Vec<_>>()
        };
        let none: [&str; 0] = [];
        assert_eq!(ids(None), none);
        assert_eq!(ids(Some(0.2)), none);
        assert_eq!(ids(Some(0.25)), ["alert-drift-payment_fraud-moved-2026-02-16"]);
        for quiet in [Some(0.9), Some(0.12), None] {
            assert_eq!(ids(quiet), none, "{quiet:?}");
        }
        assert_eq!(ids(Some(0.05)), ["alert-drift-payment_fraud-back-2026-02-16"]);
        assert_eq!(ids(Some(0.05)), none);
    }

    #[test]
    fn features_are_told_once_there_are_more_than_a_few() {
        let mut told = Told::default();
        let mut told_of = |indices: &[f64]| {
            let shift = |(n, index): (usize, &f64)| FeatureShift {
                feature: format!("f{n}").into(),
                index: *index,
            };
            let shifts: Vec<_> = indices.iter().enumerate().map(shift).collect();
            of_features(&shifts, &mut told, NOW).pop().map(|it| it.body)
        };
        assert_eq!(told_of(&[0.3, 0.3, 0.3, 0.2]), None);
        let moved = told_of(&[0.3, 0.3, 0.3, 0.3, 0.0]).unwrap();
        assert!(moved.contains("features.moved") && moved.contains("\"f3\""), "{moved}");
        assert!(!moved.contains("\"f4\""), "{moved}");
        assert_eq!(told_of(&[0.3, 0.15, 0.15, 0.15]), None, "most are still away");
        assert_eq!(told_of(&[]), None, "too few orders say nothing");
        assert!(told_of(&[0.3, 0.0, 0.0, 0.0]).unwrap().contains("\"back\""));
        assert_eq!(told_of(&[0.3, 0.0, 0.0, 0.0]), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn scores_of_another_week_are_seen_to_have_moved() {
        let dir = tempfile::tempdir().unwrap();
        let engine = open_with(dir.path(), bundle(), "plain");
        for n in 0..110 {
            score(&engine, n).await;
        }
        // A week later everybody orders for the first time.
        let week = 7 * 24 * 60;
        for n in week + 200..week + 400 {
            let mut asked = request(n);
            asked.order.entities = vec![entity(EntityKind::Account, n)];
            engine.score_order(asked, at(i64::from(n) + 1)).await.unwrap();
        }
        let (mut told, now) = (Told::default(), at(i64::from(week) + 500));
        let alerts = look(&engine, &mut told, now).await.unwrap();
        assert!(!alerts.is_empty(), "nobody shares anything any more");
        assert!(alerts.iter().all(|it| it.body.contains("scores.moved")), "{alerts:?}");
        assert!(look(&engine, &mut told, now).await.unwrap().is_empty(), "once is enough");
    }
}
