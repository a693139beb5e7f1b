//! Batches of proposals to and from the bytes of one message of a stream.
//!
//! The bytes start with a mark, the version of this format and a checksum, so that what no
//! replica wrote is told from what a newer one did.

use prost::Message as _;
use uuid::Uuid;

use crate::domain::proposal::{
    Batch, Origin, Proposal, ProposedBackground, ProposedFact, ProposedScore, Sent,
};
use crate::domain::record::Followed;
use crate::wire::check::{Check, Path, time_to_pb};
use crate::wire::error::Error;
use crate::wire::event;
use crate::wire::feedback::read_decision_id;
use crate::wire::pb::journal::v1 as pb;
use crate::wire::record::{background_to_pb, read_background, read_request, request_to_pb};

/// What every batch starts with.
const MARK: &[u8; 3] = b"olb";
/// The format that this build writes, and the only one that it reads.
const VERSION: u8 = 1;
/// Mark, version and checksum.
const HEADER_BYTES: usize = 8;

/// What the bytes of a proposal of a fact start with: its field's number and kind.
const FACT_IN_PROPOSAL: u8 = 2 << 3 | 2;
/// What those of its record start with.
const FACT_IN_RECORD: u8 = 1 << 3 | 2;

/// Why a message of a stream holds no batch for this build.
#[derive(Debug, thiserror::Error)]
pub enum BatchFault {
    /// No replica wrote it: every replica passes over it.
    #[error("no replica wrote it")]
    Foreign,
    /// A replica wrote it that this build does not understand.
    #[error("it has format {found}, this build reads {VERSION}: a newer build has to run here")]
    Newer {
        /// Its format.
        found: u8,
    },
    /// It holds something that this build does not know.
    #[error("it holds what this build does not know: {0}")]
    Unknown(#[source] Error),
}

/// The bytes of a proposal, to be put into a batch.
pub fn encode(proposal: &Proposal) -> Vec<u8> {
    use pb::proposal::Proposal as Wire;
    let wire = match proposal {
        Proposal::Score(score) => Wire::Score(pb::ProposedScore {
            request: Some(request_to_pb(&score.request)),
            received_time: Some(time_to_pb(score.received_time)),
            decision_id: score.decision_id.to_string(),
        }),
        Proposal::Tell(fact) => Wire::Event(pb::ReceivedEvent {
            event: Some(event::to_pb(&fact.event)),
            received_time: Some(time_to_pb(fact.received_time)),
        }),
        Proposal::Background(background) => Wire::Background(pb::ProposedBackground {
            replaces: background.replaces.to_string(),
            background: Some(background_to_pb(&background.activated)),
        }),
        // Cannot fail on our own types; an empty text would stop every replica alike.
        Proposal::Step(step) => Wire::Step(serde_json::to_string(step).unwrap_or_default()),
    };
    pb::Proposal { proposal: Some(wire) }.encode_to_vec()
}

/// The bytes of a batch of proposals, each as [`encode`] gave it.
pub fn join(origin: &Origin, proposals: Vec<Vec<u8>>) -> Vec<u8> {
    let batch = pb::Batch {
        replica: origin.replica.to_string(),
        run: origin.run.as_bytes().to_vec(),
        number: origin.number,
        proposals,
    };
    let body = batch.encode_to_vec();
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
    bytes.extend_from_slice(MARK);
    bytes.push(VERSION);
    bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

/// The batch in these bytes.
///
/// # Errors
/// [`BatchFault`].
pub fn decode(bytes: &[u8]) -> Result<Batch, BatchFault> {
    let (header, body) = bytes.split_at_checked(HEADER_BYTES).ok_or(BatchFault::Foreign)?;
    if header[..3] != *MARK || header[4..] != crc32fast::hash(body).to_le_bytes() {
        return Err(BatchFault::Foreign);
    }
    if header[3] != VERSION {
        return Err(BatchFault::Newer { found: header[3] });
    }
    let unknown = |error: prost::DecodeError| BatchFault::Unknown(error.into());
    let batch = pb::Batch::decode(body).map_err(unknown)?;
    let mut check = Check::of_journal();
    let root = Path::Root.field("proposals");
    let mut proposals = Vec::with_capacity(batch.proposals.len());
    for (idx, bytes) in batch.proposals.into_iter().enumerate() {
        let proposal = pb::Proposal::decode(&*bytes).map_err(unknown)?;
        let proposal = read(&mut check, &root.index(idx), proposal);
        proposals.extend(proposal.map(|proposal| Sent { proposal, bytes }));
    }
    let run = Uuid::from_slice(&batch.run);
    if run.is_err() {
        check.note(&Path::Root.field("run"), "must have 16 bytes");
    }
    let origin = run.ok().map(|run| {
        let (replica, number) = (batch.replica.into_boxed_str(), batch.number);
        Origin { replica, run, number }
    });
    let read = origin.map(|origin| Batch { origin, proposals });
    check.finish(read).map_err(BatchFault::Unknown)
}

/// The bytes of a journal record of a fact, made of those of its proposal: both hold the same
/// message in one field of a number of their own. `None` when they are not as [`encode`] makes
/// them.
pub fn record_of_fact(mut sent: Vec<u8>) -> Option<Vec<u8>> {
    let mut rest = sent.strip_prefix(&[FACT_IN_PROPOSAL])?;
    let n_bytes = prost::decode_length_delimiter(&mut rest).ok()?;
    if rest.len() != n_bytes {
        return None;
    }
    *sent.first_mut()? = FACT_IN_RECORD;
    Some(sent)
}

/// CRC-32 of a message of the stream.
pub fn checksum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

fn read(check: &mut Check<'_>, path: &Path<'_>, proposal: pb::Proposal) -> Option<Proposal> {
    use pb::proposal::Proposal as Wire;
    let at = path.field("proposal");
    check.required(&at, proposal.proposal, |check, path, proposal| match proposal {
        Wire::Score(score) => {
            let request = check.required(&path.field("request"), score.request, read_request);
            let received = path.field("received_time");
            let received_time = check.required(&received, score.received_time, Check::time);
            let id = path.field("decision_id");
            let decision_id = read_decision_id(check, &id, &score.decision_id);
            Some(Proposal::Score(Box::new(ProposedScore {
                request: request?,
                received_time: received_time?,
                decision_id: decision_id?,
            })))
        }
        Wire::Event(told) => {
            let event = check.required(&path.field("event"), told.event, event::read);
            let received = path.field("received_time");
            let received_time = check.required(&received, told.received_time, Check::time);
            let fact = ProposedFact { event: event?, received_time: received_time? };
            Some(Proposal::Tell(Box::new(fact)))
        }
        Wire::Background(background) => {
            let at = path.field("background");
            let activated = check.required(&at, background.background, read_background);
            Some(Proposal::Background(Box::new(ProposedBackground {
                replaces: background.replaces.into_boxed_str(),
                activated: activated?,
            })))
        }
        Wire::Step(step) => match serde_json::from_str(&step) {
            Ok(step) => Some(Proposal::Step(Box::new(step))),
            Err(error) => {
                check.note(&path.field("step"), format!("does not read: {error}"));
                None
            }
        },
    })
}

/// The message for how far a stream was executed.
pub fn followed_to_pb(followed: &Followed) -> pb::Followed {
    let Followed { stream, sequence, checksum } = followed;
    pb::Followed { stream: stream.to_string(), sequence: *sequence, checksum: *checksum }
}

/// Reads how far a stream was executed.
pub fn read_followed(followed: pb::Followed) -> Followed {
    let pb::Followed { stream, sequence, checksum } = followed;
    Followed { stream: stream.into_boxed_str(), sequence, checksum }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::{AuditDraft, PersonDraft, Role};
    use crate::domain::api_key::KeyChange;
    use crate::domain::decision::DecisionId;
    use crate::domain::entity::{EntityKey, EntityKind, IdentityKey};
    use crate::domain::experiment::ExperimentEnd;
    use crate::domain::proposal::{ExperimentStep, Start, Step, StrategyWish};
    use crate::domain::pseudonym::Rotation;
    use crate::domain::record::{ReceivedEvent, Record};
    use crate::domain::strategy_version::Signature;
    use crate::domain::time::Timestamp;
    use crate::wire::{record, samples};

    fn steps() -> Vec<Step> {
        let at = Timestamp(1_767_225_600_000_001);
        let signature = Signature { by: "ann".into(), at, note: "why".into() };
        let strategy = |step| Step::Strategy { step, signature: signature.clone() };
        let start = Start {
            graph: "{}".into(),
            model: "risk/1".into(),
            model_hash: "ab".into(),
            strategy: "name = 'x'".into(),
            rotation: Some(Rotation { current: "b".into(), previous: "a".into() }),
            at,
        };
        let draft = AuditDraft {
            actor: "ann".into(),
            action: "lab.ran".into(),
            subject: "s".into(),
            detail: "d".into(),
        };
        let person = PersonDraft {
            person_id: "ben".into(),
            name: "Ben".into(),
            roles: [Role::ALL[0]].into(),
            is_active: true,
            key_hash: Some("cd".into()),
        };
        let experiment = ExperimentStep::End { id: "e".into(), end: ExperimentEnd::Killed };
        vec![
            Step::Start(start),
            strategy(StrategyWish::File("a".into())),
            strategy(StrategyWish::Propose("b".into())),
            strategy(StrategyWish::Approve("c".into())),
            strategy(StrategyWish::Activate { hash: "d".into(), percent: 7 }),
            strategy(StrategyWish::Revert),
            Step::Model {
                name: "risk/2".into(),
                hash: "ef".into(),
                report_hash: "01".into(),
                expected: Some("ab".into()),
                signature: signature.clone(),
            },
            Step::Experiment { step: experiment, signature: signature.clone() },
            Step::Person { draft: person, signature: signature.clone() },
            Step::Key { change: KeyChange::Revoke { name: "k".into() }, signature },
            Step::Audit { draft, at },
        ]
    }

    fn batch() -> Batch {
        let mut proposals: Vec<Proposal> =
            steps().into_iter().map(|step| Proposal::Step(Box::new(step))).collect();
        for record in samples::records() {
            match record {
                Record::Event(told) => proposals.push(Proposal::Tell(Box::new(ProposedFact {
                    event: told.event,
                    received_time: told.received_time,
                }))),
                Record::Decision(scored) => {
                    let score = ProposedScore {
                        request: scored.request.clone(),
                        received_time: Timestamp(-1),
                        decision_id: DecisionId(Uuid::from_u128(9)),
                    };
                    proposals.push(Proposal::Score(Box::new(score)));
                }
                Record::BackgroundActivated(activated) => {
                    let replaces = "before".into();
                    let background = ProposedBackground { replaces, activated };
                    proposals.push(Proposal::Background(Box::new(background)));
                }
                Record::Noted(note) => proposals.push(Proposal::Step(Box::new(Step::Note(note)))),
                Record::StrategyProposed(_)
                | Record::StrategyApproved(_)
                | Record::StrategyActivated(_)
                | Record::ModelActivated(_)
                | Record::GraphActivated(_)
                | Record::ExperimentStarted(_)
                | Record::ExperimentRamped(_)
                | Record::ExperimentEnded(_)
                | Record::PersonChanged(_)
                | Record::ApiKeyChanged(_)
                | Record::Audited(_)
                | Record::IdentifierErased(_)
                | Record::RotationStarted(_)
                | Record::PseudonymLinked(_)
                | Record::Followed(_) => {}
            }
        }
        let origin = Origin { replica: "a".into(), run: Uuid::from_u128(77), number: 3 };
        let sent = |proposal| Sent { bytes: encode(&proposal), proposal };
        Batch { origin, proposals: proposals.into_iter().map(sent).collect() }
    }

    fn bytes_of(batch: &Batch) -> Vec<u8> {
        join(&batch.origin, batch.proposals.iter().map(|sent| sent.bytes.clone()).collect())
    }

    #[test]
    fn a_batch_of_proposals_of_every_kind_reads_back_as_it_was_written() {
        let batch = batch();
        assert_eq!(decode(&bytes_of(&batch)).unwrap(), batch);
    }

    #[test]
    fn what_was_hashed_by_two_secrets_is_executed_so() {
        let [now, before] = [b"now", b"old"].map(|secret| IdentityKey::from_secret(secret));
        let phone = now.rotated_from(&before).entity(EntityKind::Phone, "1");
        assert!(matches!(phone.key, EntityKey::Twice(_)));
        let mut scored = samples::scored_order();
        scored.request.order.entities = vec![phone.clone()];
        let (received_time, decision_id) = (Timestamp(1), DecisionId(Uuid::nil()));
        let score = ProposedScore { request: scored.request, received_time, decision_id };
        let signature = Signature { by: "a".into(), at: Timestamp(1), note: Box::default() };
        let proposals = vec![
            Proposal::Score(Box::new(score)),
            Proposal::Step(Box::new(Step::Erase { entity: phone, signature })),
        ];
        let sent = |proposal| Sent { bytes: encode(&proposal), proposal };
        let origin = Origin { replica: "a".into(), run: Uuid::nil(), number: 1 };
        let batch = Batch { origin, proposals: proposals.into_iter().map(sent).collect() };
        assert_eq!(decode(&bytes_of(&batch)).unwrap(), batch);
    }

    #[test]
    fn a_fact_is_recorded_as_it_was_sent() {
        let mut n_facts = 0;
        for Sent { proposal, bytes } in batch().proposals {
            let Proposal::Tell(fact) = proposal else {
                assert_eq!(record_of_fact(bytes), None);
                continue;
            };
            let ProposedFact { event, received_time } = *fact;
            let record = Record::Event(ReceivedEvent { event, received_time });
            assert_eq!(record_of_fact(bytes.clone()), Some(record::encode(&record)));
            // What another program wrote is read, and written anew.
            assert_eq!(record_of_fact([&bytes[..], &[0]].concat()), None);
            assert_eq!(record_of_fact(bytes[..bytes.len() - 1].to_vec()), None);
            n_facts += 1;
        }
        assert!(n_facts > 10, "{n_facts} facts");
    }

    #[test]
    fn what_no_replica_wrote_is_told_from_what_a_newer_one_did() {
        let bytes = bytes_of(&batch());
        for cut in [0, 3, HEADER_BYTES, bytes.len() - 1] {
            assert!(matches!(decode(&bytes[..cut]), Err(BatchFault::Foreign)), "{cut}");
        }
        for at in (0..bytes.len()).filter(|at| *at != 3) {
            let mut spoiled = bytes.clone();
            spoiled[at] ^= 1;
            assert!(matches!(decode(&spoiled), Err(BatchFault::Foreign)), "{at}");
        }
        let mut newer = bytes;
        newer[3] = VERSION + 1;
        assert!(matches!(decode(&newer), Err(BatchFault::Newer { found: 2 })));
        let origin = Origin { replica: "a".into(), run: Uuid::nil(), number: 1 };
        let unknown = join(&origin, vec![Vec::new()]);
        assert!(matches!(decode(&unknown), Err(BatchFault::Unknown(_))));
    }
}
