//! Stories of orders and closed cases, against a plain reading.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::domain::closed_case::{CLOSED_CASES_MAX, ClosedCase, ClosedCaseQuery};
use crate::domain::decision::ActionKind;
use crate::domain::entity::EntityKey;
use crate::domain::event::{Fact, OrderStep};
use crate::domain::feedback::{OperatorChoice, Outcome, OutcomeKind};
use crate::domain::head::RiskType;
use crate::domain::order::OrderKey;
use crate::domain::record::Record;
use crate::domain::standing::{Said, Standing, standing};
use crate::domain::time::Timestamp;
use crate::store::records::databases::{Database, databases};
use crate::store::records::history::{choice, decided, decision_id, key, outcome, told};

/// Decisions of the history; the first twenty orders have two of them.
const N_DECISIONS: u64 = 60;
const ACTIONS: [ActionKind; 3] = [ActionKind::Approve, ActionKind::Hold, ActionKind::Decline];
const KINDS: [OutcomeKind; 3] =
    [OutcomeKind::Refund, OutcomeKind::ConfirmedFraud, OutcomeKind::DeliveredOk];

fn opened(database: &Database, dir: &Path) -> (RecordsWriter, Records) {
    let (mut writer, records) = database.by_hand(dir);
    let decisions: Vec<_> = (1..=N_DECISIONS).map(|n| (n, decided(n))).collect();
    writer.apply(&decisions).unwrap();
    (writer, records)
}

/// What was told, in order, and the case of each decision: where it stands in the list and what
/// it shows.
#[derive(Default)]
struct Plain {
    choices: Vec<OperatorChoice>,
    outcomes: Vec<Outcome>,
    cases: BTreeMap<u64, Shown>,
}

/// Place, chosen action, outcomes.
type Shown = (u64, Option<ActionKind>, Vec<OutcomeKind>);

impl Plain {
    fn about(&self, outcome: &Outcome) -> Option<u64> {
        if let Some(retracted) = &outcome.retracts {
            let found = self.outcomes.iter().find(|it| it.outcome_id == *retracted)?;
            // A retraction of a retraction is about no decision.
            return if found.retracts.is_none() { self.about(found) } else { named(found) };
        }
        named(outcome)
    }

    fn tell(&mut self, place: u64, about: Option<u64>) {
        let Some(n) = about else { return };
        let (id, order) = (decision_id(n), key(n));
        let is_about = |it: &&Outcome| {
            it.decision_id == Some(id)
                || (it.decision_id.is_none() && it.order.as_ref() == Some(&order))
        };
        let ids: Vec<&str> =
            self.outcomes.iter().filter(is_about).map(|it| &*it.outcome_id).collect();
        let is_read = |it: &&Outcome| {
            ids.contains(&&*it.outcome_id)
                || it.retracts.as_deref().is_some_and(|retracted| ids.contains(&retracted))
        };
        let read: Vec<&Outcome> = self.outcomes.iter().filter(is_read).collect();
        let said: Vec<Said<&str, _>> = read.iter().map(|it| (*it).into()).collect();
        let found = read.iter().zip(standing(&said));
        let mut kinds: Vec<_> =
            found.filter(|(_, it)| *it == Standing::Stands).map(|(it, _)| it.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let of_decision = self.choices.iter().filter(|choice| choice.decision_id == id);
        let last = of_decision.max_by_key(|choice| (choice.decided_at, &choice.choice_id));
        let chosen = last.map(|choice| choice.action);
        if chosen.is_none() && kinds.is_empty() {
            self.cases.remove(&n);
        } else {
            self.cases.insert(n, (place, chosen, kinds));
        }
    }
}

fn named(outcome: &Outcome) -> Option<u64> {
    let is_named = |n: &u64| match outcome.decision_id {
        Some(id) => id == decision_id(*n),
        None => outcome.order.as_ref() == Some(&key(*n)),
    };
    (1..=N_DECISIONS).rev().find(is_named)
}

fn random_outcome(dice: &mut ChaCha8Rng, at: u64) -> Outcome {
    let n = dice.gen_range(1..=N_DECISIONS);
    let by_id = dice.gen_bool(0.5);
    Outcome {
        outcome_id: format!("u{at}").into(),
        decision_id: by_id.then(|| decision_id(n)),
        order: (!by_id).then(|| key(n)),
        kind: KINDS[dice.gen_range(0..3)],
        occurred_at: Timestamp(dice.gen_range(0..5)),
        source_ref: dice.gen_bool(0.5).then(|| format!("case {}", n % 40).into()),
        told_by: None,
        retracts: dice.gen_bool(0.3).then(|| format!("u{}", dice.gen_range(61..at + 20)).into()),
        ..outcome(n)
    }
}

fn listed(records: &Records, query: &ClosedCaseQuery) -> Vec<ClosedCase> {
    let (mut cases, mut before) = (Vec::new(), None);
    loop {
        let page = records.closed_cases(&ClosedCaseQuery { before, ..query.clone() }).unwrap();
        assert!(page.cases.len() <= query.n_max as usize);
        cases.extend(page.cases);
        before = page.next;
        if before.is_none() {
            return cases;
        }
    }
}

/// The first recommendation of a decision of the history.
fn recommended(n: u64) -> ActionKind {
    if n.is_multiple_of(2) { ActionKind::Approve } else { ActionKind::Hold }
}

fn check_lists(records: &Records, plain: &Plain) {
    let all = listed(records, &ClosedCaseQuery { n_max: 7, ..ClosedCaseQuery::default() });
    let mut expected: Vec<_> = plain
        .cases
        .iter()
        .map(|(n, (at, chosen, kinds))| (*at, *n, *chosen, kinds.clone()))
        .collect();
    expected.sort_by(|a, b| b.cmp(a));
    let shown: Vec<_> = all
        .iter()
        .map(|it| {
            let n = u64::try_from(it.decision_id.0.as_u128()).unwrap();
            (it.cursor.0, n, it.chosen.as_ref().map(|it| it.action), it.outcomes.clone())
        })
        .collect();
    assert_eq!(shown, expected);
    let any = |all: &[ActionKind]| all.iter().copied().map(Some).chain([None]).collect::<Vec<_>>();
    let heads = [RiskType::PaymentFraud, RiskType::PromoAbuse].map(|risk| Some(risk.head()));
    for action in any(&ACTIONS) {
        for outcome in KINDS.into_iter().map(Some).chain([None]) {
            for head in heads.iter().cloned().chain([None]) {
                let query =
                    ClosedCaseQuery { action, outcome, head: head.clone(), before: None, n_max: 5 };
                let is_asked = |it: &&ClosedCase| {
                    let done = it.chosen.as_ref().map(|it| it.action).or(it.first_action);
                    (action.is_none() || done == action)
                        && outcome.is_none_or(|kind| it.outcomes.contains(&kind))
                        && (head.is_none()
                            || it.top_risk.as_ref().map(|it| &it.head) == head.as_ref())
                };
                let asked: Vec<ClosedCase> = all.iter().filter(is_asked).cloned().collect();
                assert_eq!(listed(records, &query), asked, "{query:?}");
            }
        }
    }
}

#[test]
fn closed_cases_are_what_a_plain_reading_of_everything_told_says() {
    databases().iter().for_each(check_closed);
}

fn check_closed(database: &Database) {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, records) = opened(database, dir.path());
    let (mut dice, mut plain) = (ChaCha8Rng::seed_from_u64(7), Plain::default());
    for at in N_DECISIONS + 1..N_DECISIONS + 400 {
        let fact = if dice.gen_bool(0.3) {
            let n = dice.gen_range(1..=N_DECISIONS);
            let choice = OperatorChoice {
                choice_id: format!("c{at}").into(),
                action: ACTIONS[dice.gen_range(0..3)],
                decided_at: Timestamp(dice.gen_range(0..5)),
                ..choice(n)
            };
            plain.choices.push(choice.clone());
            plain.tell(at, Some(n));
            Fact::Choice(choice)
        } else {
            let outcome = random_outcome(&mut dice, at);
            let about = plain.about(&outcome);
            plain.outcomes.push(outcome.clone());
            plain.tell(at, about);
            Fact::Outcome(outcome)
        };
        writer.apply(&[(at, told(format!("e{at}"), fact))]).unwrap();
        if at % 97 == 0 {
            check_lists(&records, &plain);
        }
    }
    check_lists(&records, &plain);
    assert!(30 < plain.cases.len() && plain.cases.len() < 60, "{}", plain.cases.len());
    let first = &records.closed_cases(&ClosedCaseQuery::default()).unwrap().cases[0];
    let n = u64::try_from(first.decision_id.0.as_u128()).unwrap();
    assert_eq!((&first.order, first.first_action), (&key(n), Some(recommended(n))));
    assert_eq!((first.event_time, first.told_time), (Timestamp(n.cast_signed()), Timestamp(7)));
}

#[test]
fn a_case_whose_only_outcome_is_taken_back_is_open_again() {
    databases().iter().for_each(check_taken_back);
}

fn check_taken_back(database: &Database) {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, records) = opened(database, dir.path());
    let n_closed = || records.closed_cases(&ClosedCaseQuery::default()).map(|it| it.cases.len());
    writer.apply(&[(61, told("a".into(), Fact::Outcome(outcome(8))))]).unwrap();
    // Told again: no news.
    writer.apply(&[(62, told("a".into(), Fact::Outcome(outcome(8))))]).unwrap();
    assert_eq!(n_closed().unwrap(), 1);
    let back = Outcome {
        outcome_id: "back".into(),
        decision_id: None,
        order: Some(key(30)),
        retracts: Some("u8".into()),
        ..outcome(8)
    };
    writer.apply(&[(63, told("b".into(), Fact::Outcome(back)))]).unwrap();
    assert_eq!(n_closed().unwrap(), 0);
    let query = ClosedCaseQuery { n_max: u32::MAX, ..ClosedCaseQuery::default() };
    assert_eq!(records.closed_cases(&query).unwrap().cases, []);
    writer.apply(&[(64, told("c".into(), Fact::Choice(choice(8))))]).unwrap();
    assert_eq!(n_closed().unwrap(), 1);
}

#[test]
fn a_page_has_a_most_and_says_where_the_next_one_starts() {
    databases().iter().for_each(check_page);
}

fn check_page(database: &Database) {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, records) = database.by_hand(dir.path());
    let n = u64::from(CLOSED_CASES_MAX) + 1;
    let decisions: Vec<_> = (1..=n).map(|n| (n, decided(n))).collect();
    writer.apply(&decisions).unwrap();
    let choices: Vec<_> =
        (1..=n).map(|it| (n + it, told(format!("e{it}"), Fact::Choice(choice(it))))).collect();
    writer.apply(&choices).unwrap();
    let query = ClosedCaseQuery { n_max: u32::MAX, ..ClosedCaseQuery::default() };
    let page = records.closed_cases(&query).unwrap();
    assert_eq!(page.cases.len(), CLOSED_CASES_MAX as usize);
    let rest = records.closed_cases(&ClosedCaseQuery { before: page.next, ..query }).unwrap();
    assert_eq!((rest.cases.len(), rest.next), (1, None));
    assert_eq!(rest.cases[0].decision_id, decision_id(1));
}

#[test]
fn the_story_of_an_order_is_its_own_in_all_revisions_and_newest_first() {
    databases().iter().for_each(check_story);
}

fn check_story(database: &Database) {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, records) = opened(database, dir.path());
    let step = |order: OrderKey| Fact::OrderShipped(OrderStep { order });
    let words = [
        step(OrderKey { revision: 3, ..key(5) }),
        step(key(6)),
        Fact::OrderDelivered(OrderStep { order: key(5) }),
        Fact::Choice(choice(5)),
        Fact::Choice(choice(45)),
        Fact::Choice(choice(6)),
        Fact::Outcome(Outcome { decision_id: None, ..outcome(5) }),
        Fact::Outcome(Outcome { order: None, decision_id: Some(decision_id(45)), ..outcome(7) }),
        Fact::Outcome(Outcome { retracts: Some("u7".into()), order: None, ..outcome(8) }),
        Fact::Outcome(outcome(6)),
    ];
    let batch: Vec<(u64, Record)> =
        (61..).zip(words).map(|(at, fact)| (at, told(format!("e{at}"), fact))).collect();
    writer.apply(&batch).unwrap();
    let kinds = |limit| {
        let rows = records.order_events(&key(5), limit).unwrap();
        rows.into_iter().map(|(_, kind)| kind.into_string()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(10), ["order_delivered", "order_shipped"]);
    assert_eq!(kinds(1), ["order_delivered"]);
    let choices = records.order_choices(&key(5), 10).unwrap();
    assert_eq!(choices, [choice(45), choice(5)]);
    let outcomes = records.order_outcomes(&key(5), 10).unwrap();
    let ids: Vec<&str> = outcomes.iter().map(|it| &*it.outcome_id).collect();
    assert_eq!(ids, ["u8", "u7", "u5"]);
    let decisions = records.order_decisions(&key(5), 10).unwrap();
    assert_eq!(decisions.iter().map(|row| row.position).collect::<Vec<_>>(), [45, 5]);
    // Of account 5: 5, 14, 23, 32, 41, 50, 59; another decision about the order is not among them.
    let name = EntityKey::Hashed(5).to_string();
    let of_account = |before, order: &OrderKey, limit| {
        let rows = records.account_decisions((&name, before), order, limit).unwrap();
        rows.iter().map(|row| row.position).collect::<Vec<_>>()
    };
    assert_eq!(of_account(50, &key(50), 3), [41, 32, 23]);
    assert_eq!(of_account(50, &key(32), 3), [41, 23, 14]);
    assert!(of_account(5, &key(5), 3).is_empty());
    let lines = records.decisions_in_short(&[45, 99, 3].map(decision_id)).unwrap();
    assert_eq!(lines.iter().map(|it| it.decision_id).collect::<Vec<_>>(), [45, 3].map(decision_id));
}
