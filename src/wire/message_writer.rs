//! Writes protobuf messages field by field, without building them first.
//!
//! Scoring answers thousands of times a second with messages of some two hundred
//! texts: to copy each text into a message of its own, only to copy it into the bytes
//! next, would cost more than the model. Fields are written as prost writes them, in
//! ascending order and without defaults, so both ways give the same bytes.
//!
//! Source of the format: "Protocol Buffers: Encoding".

use prost::Message;
use prost::encoding::{encode_varint, encoded_len_varint};

/// Bytes kept free for the length of a message that is shorter than 128 bytes.
const SHORT: usize = 1;
/// Bytes kept free for the length of a message of 128 to 16,383 bytes.
const LONG: usize = 2;

/// How a field's bytes are laid out.
#[derive(Clone, Copy, Debug)]
enum WireType {
    Varint = 0,
    SixtyFourBits = 1,
    Length = 2,
}

/// A message in the making.
#[derive(Debug, Default)]
pub struct MessageWriter {
    bytes: Vec<u8>,
}

impl MessageWriter {
    /// One with room for so many bytes.
    pub fn with_capacity(n_bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(n_bytes) }
    }

    /// The message.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// A whole number, a flag (0 or 1) or the number of an enum; 0 is left out.
    pub fn uint(&mut self, field: u32, value: impl Into<u64>) {
        let value = value.into();
        if value != 0 {
            self.uint_always(field, value);
        }
    }

    /// A whole number of a field that can be absent.
    pub fn uint_always(&mut self, field: u32, value: u64) {
        self.key(field, WireType::Varint);
        encode_varint(value, &mut self.bytes);
    }

    /// A number that may be negative, or the number of an enum; 0 is left out.
    pub fn int(&mut self, field: u32, value: impl Into<i64>) {
        self.uint(field, value.into().cast_unsigned());
    }

    /// A number; 0 is left out.
    pub fn double(&mut self, field: u32, value: f64) {
        if value != 0.0 {
            self.double_always(field, value);
        }
    }

    /// A number of a field that can be absent.
    pub fn double_always(&mut self, field: u32, value: f64) {
        self.key(field, WireType::SixtyFourBits);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// A text; the empty one is left out.
    pub fn text(&mut self, field: u32, value: &str) {
        if !value.is_empty() {
            self.text_always(field, value);
        }
    }

    /// A text of a repeated field, or of one that can be absent.
    pub fn text_always(&mut self, field: u32, value: &str) {
        self.key(field, WireType::Length);
        encode_varint(value.len() as u64, &mut self.bytes);
        self.bytes.extend_from_slice(value.as_bytes());
    }

    /// A message that is mostly short.
    pub fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        self.nested(field, SHORT, write);
    }

    /// A message that mostly has 128 bytes or more.
    pub fn long_message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        self.nested(field, LONG, write);
    }

    /// A message that is there already.
    pub fn built(&mut self, field: u32, message: &impl Message) {
        self.key(field, WireType::Length);
        encode_varint(message.encoded_len() as u64, &mut self.bytes);
        message.encode_raw(&mut self.bytes);
    }

    /// A repeated field of numbers of one size, packed: the little-endian bytes of each.
    pub fn packed<const N: usize>(
        &mut self,
        field: u32,
        values: impl ExactSizeIterator<Item = [u8; N]>,
    ) {
        if values.len() != 0 {
            self.key(field, WireType::Length);
            encode_varint((values.len() * N) as u64, &mut self.bytes);
            values.for_each(|value| self.bytes.extend_from_slice(&value));
        }
    }

    /// A repeated field of whole numbers, packed.
    pub fn packed_uints(&mut self, field: u32, values: impl ExactSizeIterator<Item = u64>) {
        if values.len() != 0 {
            self.message(field, |out| {
                values.for_each(|value| encode_varint(value, &mut out.bytes));
            });
        }
    }

    /// Writes a message behind room for its length, then moves it to where it belongs.
    fn nested(&mut self, field: u32, room: usize, write: impl FnOnce(&mut Self)) {
        self.key(field, WireType::Length);
        let length_at = self.bytes.len();
        let start = length_at + room;
        self.bytes.resize(start, 0);
        write(self);
        let n_bytes = self.bytes.len() - start;
        let needed = encoded_len_varint(n_bytes as u64);
        if needed != room {
            let end = self.bytes.len();
            if room < needed {
                self.bytes.resize(end + needed - room, 0);
            }
            self.bytes.copy_within(start..end, length_at + needed);
            self.bytes.truncate(length_at + needed + n_bytes);
        }
        let mut length = &mut self.bytes[length_at..length_at + needed];
        encode_varint(n_bytes as u64, &mut length);
    }

    fn key(&mut self, field: u32, wire_type: WireType) {
        encode_varint(u64::from(field << 3 | wire_type as u32), &mut self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Nest = fn(&mut MessageWriter, u32, &str);

    #[test]
    fn the_length_of_a_message_takes_as_many_bytes_as_it_needs() {
        for n in [0, 1, 127, 128, 16_383, 16_384, 3_000_000] {
            let text = "x".repeat(n);
            let expected = prost_types::FileDescriptorProto {
                name: Some(String::new()),
                message_type: vec![prost_types::DescriptorProto {
                    name: Some(text.clone()),
                    ..Default::default()
                }],
                ..Default::default()
            };
            let nests: [Nest; 2] = [
                |out, field, text| out.message(field, |out| out.text_always(1, text)),
                |out, field, text| out.long_message(field, |out| out.text_always(1, text)),
            ];
            for nest in nests {
                let mut out = MessageWriter::default();
                out.text_always(1, "");
                nest(&mut out, 4, &text);
                assert!(out.into_bytes() == expected.encode_to_vec(), "{n} bytes");
            }
        }
    }
}
