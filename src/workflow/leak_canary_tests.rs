//! The leak canary: a column that knows the label of its own row must sing.
//!
//! Every account here buys four times within a day, and two of the four orders, drawn by
//! lot, are bad. The truth about the other three gives the fourth away: that is what a
//! leave-one-out encoding of the label does. Nothing else tells good from bad. The truth
//! comes out a month later, so at the time of an order an honest column knows nothing.

use std::collections::BTreeMap;
use std::convert::Infallible;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::domain::entity::{EntityKey, EntityKind, EntityRef};
use crate::domain::event::{Event, Fact};
use crate::domain::feature::CatalogSchema;
use crate::domain::order::{AttributeValue, Order};
use crate::domain::time::{Span, Timestamp};
use crate::feature::catalog::Catalog;
use crate::graph::settings::GraphSettings;
use crate::workflow::fixtures::{at, entity, event, head, label, order, schema};
use crate::workflow::play_history::{History, HistoryPlan, Window, play_history};

const ACCOUNTS: u32 = 300;
/// Orders of an account; half of them are bad.
const ORDERS_EACH: u32 = 4;
/// A category with as many values as there are accounts.
const LINK: &str = "link";
/// Its target statistics.
const LINK_SHARES: [&str; 2] = [
    "attribute_link_known_payment_fraud_share_30d",
    "attribute_link_known_payment_fraud_share_all",
];
const TRUTH_DELAY: Span = Span::days(30);
/// Five standard deviations of the AUC of a column that knows nothing, with 600 bad and
/// 600 good rows: `√((n + 1) / (12 · n_bad · n_good))` is 0.0167 (Mann and Whitney, 1947).
const SILENCE_MAX: f64 = 0.083;

/// When the source tells the truth about an order.
#[derive(Clone, Copy)]
enum Telling {
    /// In the same breath as the order, as a finished table does.
    AtOnce,
    /// When it came out.
    WhenKnown,
}

/// A column and how far its AUC is from knowing nothing: 0 is silence, 0.5 the label itself.
#[derive(Debug)]
struct Voice {
    column: String,
    loudness: f64,
}

fn orders_of_the_day(telling: Telling) -> Vec<Event> {
    let mut lot = ChaCha8Rng::seed_from_u64(11);
    let mut events = Vec::new();
    for account in 0..ACCOUNTS {
        let mut verdicts = [0.0, 0.0, 1.0, 1.0];
        verdicts.shuffle(&mut lot);
        for (n, verdict) in (0..ORDERS_EACH).zip(verdicts) {
            let number = account * ORDERS_EACH + n;
            // The accounts take turns; each comes back after six hours.
            let minute = i64::from(account + n * 360);
            let placed = Fact::OrderPlaced(order_of(number, account));
            events.push(event(format!("placed {number}"), at(minute), placed));
            let truth = label(number, verdict, minute);
            events.push(match telling {
                Telling::AtOnce => truth,
                Telling::WhenKnown => Event { event_time: truth.event_time + TRUTH_DELAY, ..truth },
            });
        }
    }
    events.sort_by_key(Event::known_at);
    events
}

/// An account keeps its device and came by a link of its own; ten accounts share an address.
fn order_of(number: u32, account: u32) -> Order {
    let mut placed = order(number);
    placed.amount = order(1).amount;
    let link = AttributeValue::Category(format!("link {account}").into());
    placed.attributes.insert(LINK.into(), link);
    placed.entities = vec![
        entity(EntityKind::Account, account),
        entity(EntityKind::Device, account),
        entity(EntityKind::Ip, account / 10),
        entity(EntityKind::Phone, account),
    ];
    placed
}

/// Every person orders by two accounts in turn; the phone says that they are one person's.
fn over_two_accounts(mut events: Vec<Event>) -> Vec<Event> {
    let mut n_of: BTreeMap<EntityRef, u32> = BTreeMap::new();
    for event in &mut events {
        let Fact::OrderPlaced(order) = &mut event.fact else { continue };
        let Some(account) = order.entities.first_mut() else { continue };
        let n = n_of.entry(account.clone()).or_default();
        if *n % 2 == 1 {
            let EntityKey::Hashed(number) = account.key else { continue };
            account.key = EntityKey::Hashed(number + (1 << 64));
        }
        *n += 1;
    }
    events
}

fn play(events: Vec<Event>, label_delay: Span) -> History {
    let always = Window { from: Timestamp(i64::MIN), to: Timestamp(i64::MAX) };
    let plan = HistoryPlan { windows: vec![always], label_delay, graph: GraphSettings::default() };
    let events = events.into_iter().map(Ok::<_, Infallible>);
    let categories = BTreeMap::from([(LINK.into(), Vec::new())]);
    let mut kinds = schema().kinds;
    kinds.push(EntityKind::Phone);
    let catalog = Catalog::new(&CatalogSchema { kinds, categories, ..schema() });
    play_history(events, catalog, &plan, &mut |_| {}).unwrap()
}

/// The column with this id.
fn column(history: &History, id: &str) -> Vec<f32> {
    let at = history.catalog.specs().iter().position(|spec| &*spec.id == id).unwrap();
    history.features.column(at).to_vec()
}

/// The truth of every row; all of it is known in the end.
fn truths(history: &History) -> Vec<f32> {
    let truth = |row| history.truth(row, &head(), history.end);
    (0..history.rows.len()).map(truth).collect()
}

/// The loudest column of a history.
fn loudest(history: &History) -> Voice {
    let labels = truths(history);
    let voice = |(column, values): (&str, Vec<f32>)| Voice {
        column: column.to_owned(),
        loudness: loudness(&values, &labels),
    };
    let names = history.catalog.specs().iter().map(|spec| &*spec.id);
    let columns = history.features.columns().into_iter().map(|column| column.to_vec());
    let voices = names.zip(columns).map(voice);
    voices.max_by(|a, b| a.loudness.total_cmp(&b.loudness)).unwrap()
}

/// How far the AUC of a column is from knowing nothing, ties shared.
///
/// An unknown value counts as the lowest: what is unknown may tell as well.
fn loudness(values: &[f32], labels: &[f32]) -> f64 {
    let heard = |value: f32| if value.is_nan() { f32::NEG_INFINITY } else { value };
    let mut good: Vec<f32> = Vec::new();
    let mut bad: Vec<f32> = Vec::new();
    for (&value, &label) in values.iter().zip(labels) {
        if label < 0.5 { good.push(heard(value)) } else { bad.push(heard(value)) }
    }
    good.sort_unstable_by(f32::total_cmp);
    let wins = |value: f32| {
        let (below, up_to) =
            (good.partition_point(|&g| g < value), good.partition_point(|&g| g <= value));
        (below + up_to) as f64 / 2.0
    };
    let auc = bad.iter().map(|&value| wins(value)).sum::<f64>() / (bad.len() * good.len()) as f64;
    (auc - 0.5).abs()
}

/// The share of bad orders of the row's account, and so of its link, the row itself left
/// out: what a target encoding over a finished table computes.
fn leave_one_out(history: &History) -> Vec<f32> {
    let labels = truths(history);
    let share = |row: usize| {
        let is_other = |other: &usize| {
            *other != row && history.rows[*other].account == history.rows[row].account
        };
        let others: Vec<f32> =
            (0..labels.len()).filter(is_other).map(|other| labels[other]).collect();
        others.iter().sum::<f32>() / others.len() as f32
    };
    (0..labels.len()).map(share).collect()
}

#[test]
fn a_leave_one_out_encoding_of_the_label_sings() {
    let history = play(orders_of_the_day(Telling::WhenKnown), Span(0));
    let loudness = loudness(&leave_one_out(&history), &truths(&history));
    assert!(0.5 - loudness < 1e-12, "{loudness}");
}

#[test]
fn no_column_sings_when_the_source_tells_the_truth_late() {
    let voice = loudest(&play(orders_of_the_day(Telling::WhenKnown), Span(0)));
    assert!(voice.loudness < SILENCE_MAX, "{voice:?}");
}

#[test]
fn no_column_sings_when_the_plan_holds_back_what_a_finished_table_tells_at_once() {
    let voice = loudest(&play(orders_of_the_day(Telling::AtOnce), TRUTH_DELAY));
    assert!(voice.loudness < SILENCE_MAX, "{voice:?}");
}

#[test]
fn columns_sing_when_labels_are_known_at_order_time() {
    let voice = loudest(&play(orders_of_the_day(Telling::AtOnce), Span(0)));
    assert!(2.0 * SILENCE_MAX < voice.loudness, "{voice:?}");
    assert!(voice.column.contains("known_payment_fraud"), "{voice:?}");
}

#[test]
fn a_target_statistic_sings_only_when_labels_are_known_at_order_time() {
    for (telling, sings) in [(Telling::AtOnce, true), (Telling::WhenKnown, false)] {
        let history = play(orders_of_the_day(telling), Span(0));
        let labels = truths(&history);
        for id in LINK_SHARES {
            let loudness = loudness(&column(&history, id), &labels);
            assert_eq!(2.0 * SILENCE_MAX < loudness, sings, "{id}: {loudness}");
            assert_eq!(loudness < SILENCE_MAX, !sings, "{id}: {loudness}");
        }
    }
}

#[test]
fn other_accounts_of_a_person_sing_only_when_labels_are_known_at_order_time() {
    const SHARE: &str = "account_identity_known_payment_fraud_share_all";
    for (telling, sings) in [(Telling::AtOnce, true), (Telling::WhenKnown, false)] {
        let history = play(over_two_accounts(orders_of_the_day(telling)), Span(0));
        let count = column(&history, "account_identities_count");
        let n_linked = count.iter().filter(|&&count| 0.0 < count).count();
        assert_eq!(n_linked, count.len() - ACCOUNTS as usize);
        let loudness = loudness(&column(&history, SHARE), &truths(&history));
        assert_eq!(SILENCE_MAX < loudness, sings, "{loudness}");
    }
}

#[test]
fn columns_know_the_truth_once_it_came_out() {
    // Silence at order time is no proof if the columns could never hear: a month later,
    // each account's next order sees its two bad ones.
    let mut events = orders_of_the_day(Telling::WhenKnown);
    let later = at(0) + TRUTH_DELAY + Span::days(2);
    let number = ACCOUNTS * ORDERS_EACH;
    events.push(event("later".into(), later, Fact::OrderPlaced(order_of(number, 5))));
    let history = play(events, Span(0));
    let known = column(&history, "account_known_payment_fraud_count_7d");
    assert_eq!(known.last().copied().map(f32::to_bits), Some(2.0_f32.to_bits()));
}
