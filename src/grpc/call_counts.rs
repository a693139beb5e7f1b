//! What became of calls, in numbers, under the names that gRPC's users know.
//!
//! A call costs four additions to numbers that were looked up at the start: no lock that
//! somebody waits for, no text that is made. Whoever wants to know reads all of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prost::Message as _;
use prost_types::{FileDescriptorSet, MethodDescriptorProto};
use tonic::Code;

use crate::domain::decision::DecisionId;
use crate::domain::time::Timestamp;
use crate::grpc::call_names::{CallKind, ItemStream, code_name};
use crate::wire::pb::CONTRACT_DESCRIPTOR_SET;

/// Upper ends of the cells that times of calls are counted in, seconds; the last one is open.
pub const SECONDS: [f64; 16] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
    2.5, 10.0,
];
/// The cells, with the open one.
const CELLS: usize = SECONDS.len() + 1;
/// The codes of gRPC.
const CODES: usize = 17;
/// How long an example of a cell stays, nanoseconds: looking for a new one costs a lock.
const EXAMPLE_NANOS: u64 = 1_000_000_000;

/// What became of the calls of a server.
#[derive(Debug)]
pub struct CallCounts {
    services: Vec<Arc<ServiceCounts>>,
    items: [[AtomicU64; CODES]; 2],
    waits: Times,
}

/// Times in the cells of [`SECONDS`].
#[derive(Debug, Default)]
struct Times {
    cells: [AtomicU64; CELLS],
    nanos: AtomicU64,
}

/// What became of the calls of a service.
#[derive(Debug)]
pub struct ServiceCounts {
    name: Box<str>,
    methods: Box<[MethodCounts]>,
    opened: Instant,
}

/// What became of the calls of a method.
#[derive(Debug)]
struct MethodCounts {
    name: Box<str>,
    kind: CallKind,
    started: AtomicU64,
    handled: [AtomicU64; CODES],
    times: Times,
    received: AtomicU64,
    sent: AtomicU64,
    examples: [Slot; CELLS],
}

/// An example of a cell, and when the next one is looked for.
#[derive(Debug, Default)]
struct Slot {
    due: AtomicU64,
    example: Mutex<Option<CallExample>>,
}

/// One call of a cell, so that a number leads to a case.
#[derive(Clone, Debug, PartialEq)]
pub struct CallExample {
    /// How long it took.
    pub seconds: f64,
    /// When it ended.
    pub at: Timestamp,
    /// The caller's trace: 32 hex digits.
    pub trace_id: Option<Box<str>>,
    /// The decision that was answered.
    pub decision_id: Option<DecisionId>,
}

/// What became of the calls of a method, read at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodReport {
    /// `orderlens.v1.DecisionService`.
    pub service: Box<str>,
    /// `ScoreOrder`.
    pub method: Box<str>,
    /// How many messages go each way.
    pub kind: CallKind,
    /// Calls that began.
    pub started: u64,
    /// Calls that ended, by name of the code; codes that never came are left out.
    pub handled: Vec<(&'static str, u64)>,
    /// Calls per cell of [`SECONDS`], the open one last.
    pub cells: Vec<u64>,
    /// Sum of their times.
    pub seconds: f64,
    /// Messages from callers.
    pub received: u64,
    /// Messages to callers.
    pub sent: u64,
    /// Newest example of a cell, by its place.
    pub examples: Vec<(usize, CallExample)>,
}

/// A call that has ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// With which code.
    pub code: Code,
    /// How long it took.
    pub took: Duration,
}

impl CallCounts {
    /// Numbers for every method of the contract.
    pub fn new() -> Self {
        // The set is compiled in; a test reads it, so an empty one is never served.
        let set = FileDescriptorSet::decode(CONTRACT_DESCRIPTOR_SET).unwrap_or_default();
        let opened = Instant::now();
        let mut services = Vec::new();
        for file in &set.file {
            for service in &file.service {
                services.push(Arc::new(ServiceCounts {
                    name: format!("{}.{}", file.package(), service.name()).into(),
                    methods: service.method.iter().map(MethodCounts::new).collect(),
                    opened,
                }));
            }
        }
        Self { services, items: Default::default(), waits: Times::default() }
    }

    /// Takes in how long an order waited: for its turn, and for the disk.
    pub fn waited(&self, took: Duration) {
        self.waits.add(took);
    }

    /// Orders per cell of [`SECONDS`], the open one last, and the sum of their waits in seconds.
    pub fn waits(&self) -> (Vec<u64>, f64) {
        self.waits.report()
    }

    /// Those of a service; one that the contract does not have counts nothing.
    pub fn service(&self, name: &str) -> Arc<ServiceCounts> {
        let found = self.services.iter().find(|service| *service.name == *name);
        found.cloned().unwrap_or_else(|| {
            let methods = Box::default();
            Arc::new(ServiceCounts { name: name.into(), methods, opened: Instant::now() })
        })
    }

    /// Counts an item of a stream.
    pub fn item(&self, stream: ItemStream, code: Code) {
        self.items[stream as usize][code as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Items of streams by name of the code; codes that never came are left out.
    pub fn items(&self) -> Vec<(ItemStream, &'static str, u64)> {
        let of = |stream: ItemStream| {
            let counted = counted(&self.items[stream as usize]);
            counted.into_iter().map(move |(code, n)| (stream, code, n))
        };
        ItemStream::ALL.into_iter().flat_map(of).collect()
    }

    /// What became of all calls until now.
    pub fn report(&self) -> Vec<MethodReport> {
        let of = |service: &Arc<ServiceCounts>| {
            let name = service.name.clone();
            let methods = service.methods.iter();
            methods.map(|it| it.report(name.clone())).collect::<Vec<_>>()
        };
        self.services.iter().flat_map(of).collect()
    }
}

impl Default for CallCounts {
    fn default() -> Self {
        Self::new()
    }
}

impl ServiceCounts {
    /// The place and the kind of the method that a path names.
    pub fn method_at(&self, path: &str) -> Option<(usize, CallKind)> {
        let (_, name) = path.rsplit_once('/')?;
        let at = self.methods.iter().position(|method| *method.name == *name)?;
        Some((at, self.methods[at].kind))
    }

    /// `orderlens.v1.DecisionService/ScoreOrder`.
    pub fn name_of(&self, at: usize) -> String {
        format!("{}/{}", self.name, self.methods[at].name)
    }

    /// Counts a call that begins.
    pub fn started(&self, at: usize) {
        add(&self.methods[at].started, 1);
    }

    /// Counts messages from a caller.
    pub fn received(&self, at: usize, n: u64) {
        add(&self.methods[at].received, n);
    }

    /// Counts messages to a caller.
    pub fn sent(&self, at: usize, n: u64) {
        add(&self.methods[at].sent, n);
    }

    /// Counts a call that ends; `example` is asked once per second and cell at most.
    pub fn ended(&self, at: usize, ended: &Ended, example: impl FnOnce(f64) -> CallExample) {
        let method = &self.methods[at];
        add(&method.handled[ended.code as usize], 1);
        let (cell, seconds) = (method.times.add(ended.took), ended.took.as_secs_f64());
        let slot = &method.examples[cell];
        let (now, due) = (nanos(self.opened.elapsed()), slot.due.load(Ordering::Relaxed));
        let next = now + EXAMPLE_NANOS;
        let relaxed = Ordering::Relaxed;
        if now < due || slot.due.compare_exchange(due, next, relaxed, relaxed).is_err() {
            return;
        }
        *slot.example.lock().unwrap_or_else(PoisonError::into_inner) = Some(example(seconds));
    }
}

impl Times {
    /// Takes in a time and gives the cell it falls into.
    fn add(&self, took: Duration) -> usize {
        add(&self.nanos, nanos(took));
        let seconds = took.as_secs_f64();
        let cell = SECONDS.partition_point(|end| *end < seconds);
        add(&self.cells[cell], 1);
        cell
    }

    /// Times per cell, and their sum in seconds.
    fn report(&self) -> (Vec<u64>, f64) {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (self.cells.iter().map(get).collect(), get(&self.nanos) as f64 / 1e9)
    }
}

impl MethodCounts {
    fn new(method: &MethodDescriptorProto) -> Self {
        Self {
            name: method.name().into(),
            kind: CallKind::of(method),
            started: AtomicU64::default(),
            handled: Default::default(),
            times: Times::default(),
            received: AtomicU64::default(),
            sent: AtomicU64::default(),
            examples: Default::default(),
        }
    }

    fn report(&self, service: Box<str>) -> MethodReport {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let example = |(cell, slot): (usize, &Slot)| {
            let example = slot.example.lock().unwrap_or_else(PoisonError::into_inner);
            example.clone().map(|example| (cell, example))
        };
        let (started, handled) = (get(&self.started), counted(&self.handled));
        // What can be known is not counted: a unary call has one message each way.
        let answered = get(&self.handled[Code::Ok as usize]);
        let (received, sent) = match self.kind {
            CallKind::Unary => (started, answered),
            CallKind::ClientStream | CallKind::ServerStream | CallKind::BidiStream => {
                (get(&self.received), get(&self.sent))
            }
        };
        let (cells, seconds) = self.times.report();
        MethodReport {
            service,
            method: self.name.clone(),
            kind: self.kind,
            started,
            handled,
            cells,
            seconds,
            received,
            sent,
            examples: self.examples.iter().enumerate().filter_map(example).collect(),
        }
    }
}

fn add(count: &AtomicU64, n: u64) {
    count.fetch_add(n, Ordering::Relaxed);
}

fn nanos(took: Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}

fn counted(by_code: &[AtomicU64; CODES]) -> Vec<(&'static str, u64)> {
    let all = (0..).map(|code| code_name(Code::from_i32(code))).zip(by_code);
    let all = all.map(|(code, n)| (code, n.load(Ordering::Relaxed)));
    all.filter(|(_, n)| 0 < *n).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_contract_has_numbers_and_streams_are_known() {
        let report = CallCounts::new().report();
        let kind = |name: &str| report.iter().find(|it| *it.method == *name).unwrap().kind;
        assert_eq!(kind("ScoreOrder"), CallKind::Unary);
        assert_eq!(kind("ScoreOrders"), CallKind::BidiStream);
        assert_eq!(kind("IngestEvents"), CallKind::BidiStream);
        assert!(report.iter().all(|it| it.service.starts_with("orderlens.v1.")), "{report:?}");
    }

    #[test]
    fn a_call_falls_into_the_cell_of_its_time_and_a_cell_has_one_example_a_second() {
        let counts = CallCounts::new();
        let service = counts.service("orderlens.v1.DecisionService");
        let (at, _) = service.method_at("/orderlens.v1.DecisionService/ScoreOrder").unwrap();
        let mut n_asked = 0;
        // Bounds belong to the cell below them.
        for micros in [250, 251, 251, 20_000_000] {
            service.started(at);
            let ended = Ended { code: Code::Ok, took: Duration::from_micros(micros) };
            service.ended(at, &ended, |seconds| {
                n_asked += 1;
                let at = Timestamp(micros.cast_signed());
                CallExample { seconds, at, trace_id: None, decision_id: None }
            });
        }
        let report = counts.report().into_iter().find(|it| *it.method == *"ScoreOrder").unwrap();
        assert_eq!((report.cells[1], report.cells[2], report.cells[16]), (1, 2, 1));
        assert_eq!(report.cells.iter().sum::<u64>(), 4);
        assert_eq!((report.started, report.received, report.sent), (4, 4, 4));
        assert_eq!((n_asked, report.examples.len()), (3, 3));
        assert!((report.seconds - 20.000_752).abs() < 1e-9);
    }
}
