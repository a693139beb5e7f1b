//! Does feedback keep up, and is every acknowledged word of it kept?
//!
//! `cargo bench --bench feedback`: 64 callers tell a server of the built binary 100,000 choices
//! and outcomes about 200 orders; a tenth is told twice, a twentieth comes under a used id with
//! another body, analysts and platform contradict each other. After three fifths the server is
//! killed with `kill -9` and started again on the same folder; what was not acknowledged is told
//! again. Then every case of the server has to equal the fold of all words in their order, made
//! here without a server. Beside it: flushes of the same disk in the same minute.
//! Budget: 5,000 acknowledged writes a second, no case that differs. Then 200 choices a second
//! arrive, whether the earlier ones are answered or not: p99 at most 5 ms, on disk.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench")]

#[path = "../tests/system/orders.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod orders;
#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../tests/system/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use orderlens::domain::case::{Case, CaseFacts};
use orderlens::domain::decision::{ActionKind, DecisionId};
use orderlens::domain::feedback::{OperatorChoice, Outcome, OutcomeKind, OutcomeSource};
use orderlens::domain::money::{Currency, Money};
use orderlens::domain::order::OrderKey;
use orderlens::domain::time::{Span, Timestamp};
use orderlens::wire::case::case_to_pb;
use orderlens::wire::feedback::{choice_to_pb, outcome_to_pb};
use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::case_service_client::CaseServiceClient;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::feedback_service_client::FeedbackServiceClient;
use tonic::Code;
use tonic::transport::Channel;

use crate::server::Server;

const N_ORDERS: usize = 200;
const N_WRITES: usize = 100_000;
/// Writes before the kill.
const KILL_AT: usize = N_WRITES * 3 / 5;
const CALLERS: usize = 64;
const CONNECTIONS: usize = 4;
/// Choices that arrive by the clock, and how many of them in a second.
const N_PACED: usize = 4_000;
const PACED_PER_SECOND: u32 = 200;
/// Longest that 99 of 100 of them take until they are on disk, in microseconds.
const PACED_P99_MAX: u64 = 5_000;
/// A word that is told again, or contradicted under its id, is at least this old: it has been
/// acknowledged, so it is known which of the two came first. No multiple of 20, so that what is
/// told again was new.
const BACK: usize = 5_001;
/// 2026-02-16T12:00:00Z, when the first order was placed.
const PLACED: Timestamp = Timestamp(1_771_243_200_000_000);

/// A word of feedback.
#[derive(Clone)]
enum Word {
    Choice(OperatorChoice),
    Outcome(Outcome),
}

/// What is told at a place of the plan, and what is to be answered.
enum Told {
    New(Word),
    Again(Word),
    Contradicting(Word),
}

/// The word that is first told at a place.
fn word(at: usize, decisions: &[DecisionId]) -> Word {
    // A large odd number scatters the places over orders and days.
    let scattered = at.wrapping_mul(2_654_435_761) >> 7;
    let decision_id = decisions[scattered % N_ORDERS];
    let day = i64::try_from(scattered / N_ORDERS % 200).expect("small");
    let time = PLACED + Span::days(day) + Span::SECOND;
    if at.is_multiple_of(5) {
        return Word::Choice(OperatorChoice {
            choice_id: format!("choice-{at}").into(),
            decision_id,
            operator_id: format!("operator-{}", at % 7).into(),
            action: ActionKind::ALL[at % ActionKind::ALL.len()],
            chosen_rank: None,
            override_reason: None,
            note: None,
            opened_at: None,
            decided_at: time,
            review: None,
        });
    }
    let (kind, source) = match at % 6 {
        0 => (OutcomeKind::Repurchase, OutcomeSource::Crm),
        1 => (OutcomeKind::Complaint, OutcomeSource::Crm),
        2 => (OutcomeKind::ConfirmedFraud, OutcomeSource::Analyst),
        3 => (OutcomeKind::ConfirmedLegit, OutcomeSource::Platform),
        4 => (OutcomeKind::ChargebackWon, OutcomeSource::Network),
        _ => (OutcomeKind::ChargebackLost, OutcomeSource::Network),
    };
    Word::Outcome(Outcome {
        outcome_id: format!("outcome-{at}").into(),
        decision_id: Some(decision_id),
        order: None,
        kind,
        amount: Some(yuan(at)),
        occurred_at: time,
        source,
        source_ref: None,
        retracts: None,
        told_by: None,
    })
}

fn yuan(at: usize) -> Money {
    let minor_units = i64::try_from(100 + at % 9_000).expect("small");
    Money { currency: Currency::parse("CNY").expect("a currency"), minor_units }
}

fn told(at: usize, decisions: &[DecisionId]) -> Told {
    let earlier = at.checked_sub(BACK).filter(|earlier| is_new(*earlier));
    match (at % 20, earlier) {
        (3 | 13, Some(earlier)) => Told::Again(word(earlier, decisions)),
        (7, Some(earlier)) => {
            let mut other = word(earlier, decisions);
            match &mut other {
                Word::Choice(choice) => choice.operator_id = "somebody else".into(),
                Word::Outcome(outcome) => outcome.amount = None,
            }
            Told::Contradicting(other)
        }
        _ => Told::New(word(at, decisions)),
    }
}

/// True when something is first told at a place.
fn is_new(at: usize) -> bool {
    !matches!(at % 20, 3 | 7 | 13) || at < BACK
}

/// What the callers saw.
#[derive(Default)]
struct Seen {
    next: AtomicUsize,
    /// Places whose call ended without an answer.
    unanswered: Mutex<Vec<usize>>,
    micros: Mutex<Vec<u64>>,
    wrong: Mutex<Vec<String>>,
}

async fn tell(client: &mut FeedbackServiceClient<Channel>, word: Word) -> Result<i32, Code> {
    let answer = match word {
        Word::Choice(choice) => {
            let choice = Some(choice_to_pb(&choice));
            let answer = client.record_choice(v1::RecordChoiceRequest { choice }).await;
            answer.map(|it| it.into_inner().status)
        }
        Word::Outcome(outcome) => {
            let outcome = Some(outcome_to_pb(&outcome));
            let answer = client.record_outcome(v1::RecordOutcomeRequest { outcome }).await;
            answer.map(|it| it.into_inner().status)
        }
    };
    answer.map_err(|status| status.code())
}

/// Whether a place was told before.
#[derive(Clone, Copy, PartialEq)]
enum Call {
    First,
    Retry,
}

/// Tells one place of the plan; false when the server does not answer any more.
async fn tell_place(
    client: &mut FeedbackServiceClient<Channel>,
    at: usize,
    decisions: &[DecisionId],
    seen: &Seen,
    call: Call,
) -> bool {
    let (accepted, duplicate) =
        (v1::IngestStatus::Accepted as i32, v1::IngestStatus::Duplicate as i32);
    let started = Instant::now();
    let (word, expected) = match told(at, decisions) {
        Told::New(word) => (word, Ok(accepted)),
        Told::Again(word) => (word, Ok(duplicate)),
        Told::Contradicting(word) => (word, Err(Code::AlreadyExists)),
    };
    let answer = tell(client, word).await;
    // A retry may find that the first call came through.
    let is_expected = answer == expected || (call == Call::Retry && answer == Ok(duplicate));
    if is_expected {
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        seen.micros.lock().expect("no caller panics").push(micros);
        return true;
    }
    if matches!(answer, Err(Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal)) {
        seen.unanswered.lock().expect("no caller panics").push(at);
        return false;
    }
    let told = format!("{at}: {answer:?} instead of {expected:?}");
    seen.wrong.lock().expect("no caller panics").push(told);
    true
}

/// Tells the plan up to a place, from where it was left.
async fn load(url: &str, until: usize, decisions: &[DecisionId], seen: &Seen) {
    let mut channels = Vec::new();
    for _ in 0..CONNECTIONS {
        let endpoint = Channel::from_shared(url.to_owned()).expect("an address");
        channels.push(endpoint.connect().await.expect("the server listens"));
    }
    let caller = |n: usize| {
        let mut client = FeedbackServiceClient::new(channels[n % CONNECTIONS].clone());
        async move {
            loop {
                let at = seen.next.fetch_add(1, Ordering::Relaxed);
                if until <= at || !tell_place(&mut client, at, decisions, seen, Call::First).await {
                    break;
                }
            }
        }
    };
    futures_util::future::join_all((0..CALLERS).map(caller)).await;
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let mut decisions = Vec::new();
    let mut client = DecisionServiceClient::connect(server.url.clone()).await.expect("it listens");
    for n in 0..N_ORDERS {
        let scored = client.score_order(orders::request(n as u64)).await.expect("an answer");
        let decision = scored.into_inner().decision.expect("a decision");
        decisions.push(DecisionId(decision.decision_id.parse().expect("a UUID")));
    }
    let seen = Seen::default();
    let started = Instant::now();
    // The kill comes in the midst of calls: callers go on until they get no answer.
    let (url, killed) = (server.url.clone(), async {
        while seen.next.load(Ordering::Relaxed) < KILL_AT {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::task::block_in_place(|| server.kill());
    });
    tokio::join!(load(&url, N_WRITES, &decisions, &seen), killed);
    let first = (started.elapsed(), answered(&seen));
    let restarted = Instant::now();
    let server = Server::start(&data);
    let restart = restarted.elapsed();
    let again = std::mem::take(&mut *seen.unanswered.lock().expect("no caller panics"));
    let left_at = seen.next.load(Ordering::Relaxed).min(N_WRITES);
    // Places that were taken but not told: each caller took one more before it ended.
    seen.next.store(left_at, Ordering::Relaxed);
    let mut client = FeedbackServiceClient::connect(server.url.clone()).await.expect("it listens");
    for at in &again {
        assert!(tell_place(&mut client, *at, &decisions, &seen, Call::Retry).await, "it answers");
    }
    let started = Instant::now();
    let before = answered(&seen);
    load(&server.url, N_WRITES, &decisions, &seen).await;
    let second = (started.elapsed(), answered(&seen) - before);
    let wrong = seen.wrong.lock().expect("no caller panics").clone();
    let differing = differing(&server.url, &decisions).await;
    let paced = paced(&server.url, &decisions).await;
    report(&seen, [first, second], restart, again.len());
    println!("answers that were wrong: {} {:?}", wrong.len(), wrong.first());
    println!("cases that differ from the fold of all words in order: {differing} of {N_ORDERS}");
    let verdict = if paced[1] <= PACED_P99_MAX { "ok" } else { "RED" };
    println!(
        "{PACED_PER_SECOND} choices a second: p50 {} us, p99 {} us (at most {PACED_P99_MAX}) {verdict}",
        paced[0], paced[1]
    );
    let (rate, [half, most]) = flushes(folder.path());
    println!(
        "flushes of this disk, one after the other: {rate:.0} a second, p50 {half} us, p99 {most} us"
    );
    assert!(wrong.is_empty() && differing == 0, "feedback was lost or invented");
}

/// p50 and p99 of choices that arrive by the clock, in microseconds from when each was due: one
/// that waits for another is as late as its caller sees it.
async fn paced(url: &str, decisions: &[DecisionId]) -> [u64; 2] {
    let client = FeedbackServiceClient::connect(url.to_owned()).await.expect("it listens");
    let (start, step) = (tokio::time::Instant::now(), Duration::from_secs(1) / PACED_PER_SECOND);
    let mut calls = Vec::new();
    for n in 0..N_PACED {
        let due = start + step * u32::try_from(n).expect("small");
        tokio::time::sleep_until(due).await;
        // Multiples of five are choices; these places are beyond the plan.
        let word = word((N_WRITES + n) * 5, decisions);
        let mut client = client.clone();
        calls.push(tokio::spawn(async move {
            let answer = tell(&mut client, word).await;
            assert_eq!(answer, Ok(v1::IngestStatus::Accepted as i32), "a new choice is taken");
            u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX)
        }));
    }
    let calls = futures_util::future::join_all(calls).await;
    let micros = calls.into_iter().map(|it| it.expect("no caller panics")).collect();
    percentiles(micros)
}

/// p50 and p99.
fn percentiles(mut values: Vec<u64>) -> [u64; 2] {
    values.sort_unstable();
    [50, 99].map(|percent| values[values.len() * percent / 100])
}

fn answered(seen: &Seen) -> usize {
    seen.micros.lock().expect("no caller panics").len()
}

fn report(seen: &Seen, parts: [(Duration, usize); 2], restart: Duration, n_again: usize) {
    for (name, (time, n)) in ["before the kill", "after it"].iter().zip(parts) {
        let rate = n as f64 / time.as_secs_f64();
        println!("{name}: {n} writes acknowledged or refused in {time:.1?}, {rate:.0} a second");
    }
    let [half, most] = percentiles(seen.micros.lock().expect("no caller panics").clone());
    println!("p50 {half} us, p99 {most} us with {CALLERS} callers; restart {restart:.1?}");
    println!("told again after the kill, since nobody answered: {n_again}");
}

/// Cases of the server that are not the fold of the plan's words in their order.
async fn differing(url: &str, decisions: &[DecisionId]) -> usize {
    let mut words: BTreeMap<DecisionId, (Vec<OperatorChoice>, Vec<Outcome>)> = BTreeMap::new();
    for at in (0..N_WRITES).filter(|at| is_new(*at)) {
        match word(at, decisions) {
            Word::Choice(choice) => words.entry(choice.decision_id).or_default().0.push(choice),
            Word::Outcome(outcome) => {
                let decision_id = outcome.decision_id.expect("all name one");
                words.entry(decision_id).or_default().1.push(outcome);
            }
        }
    }
    let mut client = CaseServiceClient::connect(url.to_owned()).await.expect("it listens");
    let mut n_differing = 0;
    for (decision_id, (choices, outcomes)) in &words {
        let key = Some(v1::get_case_request::Key::DecisionId(decision_id.to_string()));
        let answer = client.get_case(v1::GetCaseRequest { key }).await.expect("a case");
        let found = answer.into_inner().case.expect("a case");
        let order = OrderKey { channel: "any".into(), order_id: "any".into(), revision: 0 };
        let facts = CaseFacts {
            decision_id: *decision_id,
            order: &order,
            placed_at: PLACED,
            suspected: None,
            recommended: ActionKind::Review,
            choices,
            outcomes,
        };
        // Long after the last window.
        let folded = case_to_pb(&Case::new(&facts, PLACED + Span::days(10_000)));
        let consequences = |case: &v1::Case| -> Vec<_> {
            case.windows.iter().map(|it| (it.consequences.clone(), it.net.clone())).collect()
        };
        let is_same = consequences(&found) == consequences(&folded)
            && found.choice_id == folded.choice_id
            && found.overruled == folded.overruled
            && found.n_before == folded.n_before;
        n_differing += usize::from(!is_same);
    }
    n_differing
}

/// How often a second the disk can be flushed after a few hundred bytes; p50 and p99 of that.
fn flushes(folder: &std::path::Path) -> (f64, [u64; 2]) {
    let mut file = std::fs::File::create(folder.join("flushes")).expect("a file");
    let (started, mut micros) = (Instant::now(), Vec::new());
    while started.elapsed() < Duration::from_secs(3) {
        let flush = Instant::now();
        file.write_all(&[7; 300]).expect("room");
        file.sync_data().expect("a flush");
        micros.push(u64::try_from(flush.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    (micros.len() as f64 / started.elapsed().as_secs_f64(), percentiles(micros))
}
