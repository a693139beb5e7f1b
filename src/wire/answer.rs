//! Answers to scored orders, which leave the service as bytes.
//!
//! The generated code would have each answer built as a message first; see
//! [`crate::wire::message_writer`] for why it is not.

use std::marker::PhantomData;

use prost::Message;
use prost::bytes::BufMut as _;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic_prost::ProstDecoder;
use tonic_types::pb::Status as RpcStatus;

use crate::domain::decision::Decision;
use crate::wire::decision::Explain;
use crate::wire::decision_bytes::{Listed, Standing, write};
use crate::wire::message_writer::MessageWriter;

/// Room for an answer about a suspicious order, bytes.
const TYPICAL_BYTES: usize = 20 * 1024;
/// A stream is sent on when this much waits, bytes.
const SEND_BYTES: usize = 64 * 1024;

/// The bytes of a `ScoreOrderResponse` or a `ScoreOrdersResponse`.
#[derive(Debug)]
pub struct Answer(Vec<u8>);

/// What an answer says about a decision.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// The decision.
    pub decision: &'a Decision,
    /// How much of its explanation the caller asked for.
    pub explain: Explain,
    /// How it came about.
    pub origin: Origin,
}

/// How an answer came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Judged and recorded now.
    New,
    /// Given before.
    Replayed,
    /// Of a dry run.
    DryRun,
}

impl Answer {
    /// A `ScoreOrderResponse`.
    pub fn new(answered: Answered<'_>) -> Self {
        let mut out = MessageWriter::with_capacity(TYPICAL_BYTES);
        answered.write(&mut out);
        Self(out.into_bytes())
    }

    /// A `ScoreOrdersResponse` with a decision.
    pub fn of_item(item_id: &str, answered: Answered<'_>) -> Self {
        let mut out = MessageWriter::with_capacity(TYPICAL_BYTES);
        out.text(1, item_id);
        out.long_message(2, |out| answered.write(out));
        Self(out.into_bytes())
    }

    /// A `ScoreOrdersResponse` with an error.
    pub fn of_failed_item(item_id: &str, error: &RpcStatus) -> Self {
        let mut out = MessageWriter::default();
        out.text(1, item_id);
        out.built(3, error);
        Self(out.into_bytes())
    }
}

impl Answered<'_> {
    fn write(&self, out: &mut MessageWriter) {
        let standing = match self.origin {
            Origin::New | Origin::Replayed => Standing::Recorded,
            Origin::DryRun => Standing::Hypothetical,
        };
        out.long_message(1, |out| write(out, self.decision, Listed::Shown(self.explain), standing));
        out.uint(2, self.origin == Origin::Replayed);
        out.uint(3, self.origin == Origin::DryRun);
    }
}

/// Reads requests as prost does and sends answers as they are.
#[derive(Clone, Copy, Debug)]
pub struct AnswerCodec<Q>(PhantomData<fn() -> Q>);

/// Sends answers as they are.
#[derive(Clone, Copy, Debug)]
pub struct AnswerEncoder;

impl<Q> Default for AnswerCodec<Q> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<Q: Message + Default + Send + 'static> Codec for AnswerCodec<Q> {
    type Encode = Answer;
    type Decode = Q;
    type Encoder = AnswerEncoder;
    type Decoder = ProstDecoder<Q>;

    fn encoder(&mut self) -> AnswerEncoder {
        AnswerEncoder
    }

    fn decoder(&mut self) -> ProstDecoder<Q> {
        ProstDecoder::default()
    }
}

impl Encoder for AnswerEncoder {
    type Item = Answer;
    type Error = Status;

    fn encode(&mut self, item: Answer, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item.0);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(TYPICAL_BYTES, SEND_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::decision;
    use crate::wire::pb::v1 as pb;
    use crate::wire::samples;

    fn answered(decision: &Decision, origin: Origin) -> Answered<'_> {
        Answered { decision, explain: Explain::TopK, origin }
    }

    #[test]
    fn an_answer_is_written_as_its_message_would_be() {
        let decision = samples::scored_order().decision;
        for origin in [Origin::New, Origin::Replayed, Origin::DryRun] {
            let message = pb::Decision {
                is_hypothetical: origin == Origin::DryRun,
                ..decision::to_pb(&decision, Explain::TopK)
            };
            let response = pb::ScoreOrderResponse {
                decision: Some(message),
                replayed: origin == Origin::Replayed,
                dry_run: origin == Origin::DryRun,
            };
            let Answer(bytes) = Answer::new(answered(&decision, origin));
            assert!(bytes == response.encode_to_vec(), "{origin:?}");
            let item = pb::ScoreOrdersResponse {
                item_id: "7".into(),
                result: Some(pb::score_orders_response::Result::Response(response)),
            };
            let Answer(bytes) = Answer::of_item("7", answered(&decision, origin));
            assert!(bytes == item.encode_to_vec(), "item, {origin:?}");
        }
    }

    #[test]
    fn a_failed_item_is_written_as_its_message_would_be() {
        let error = RpcStatus { code: 3, message: "no".into(), details: Vec::new() };
        let item = pb::ScoreOrdersResponse {
            item_id: "8".into(),
            result: Some(pb::score_orders_response::Result::Error(error.clone())),
        };
        let Answer(bytes) = Answer::of_failed_item("8", &error);
        assert!(bytes == item.encode_to_vec());
    }
}
