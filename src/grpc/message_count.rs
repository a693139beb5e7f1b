//! Counts the messages of a gRPC body without reading them.

/// Bytes in front of each message: a flag and its length.
///
/// Source: "gRPC over HTTP2", rule Length-Prefixed-Message.
const PREFIX_BYTES: usize = 5;

/// How far a body has been looked at; its pieces end anywhere.
#[derive(Clone, Debug, Default)]
pub struct MessageCount {
    prefix: [u8; PREFIX_BYTES],
    n_prefix: usize,
    /// Bytes of the message at hand that are still to come.
    left: usize,
}

impl MessageCount {
    /// How many messages begin in the next piece of the body.
    pub fn see(&mut self, mut bytes: &[u8]) -> u64 {
        let mut n = 0;
        while !bytes.is_empty() {
            if 0 < self.left {
                let skipped = self.left.min(bytes.len());
                self.left -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let taken = (PREFIX_BYTES - self.n_prefix).min(bytes.len());
            self.prefix[self.n_prefix..self.n_prefix + taken].copy_from_slice(&bytes[..taken]);
            self.n_prefix += taken;
            bytes = &bytes[taken..];
            if self.n_prefix == PREFIX_BYTES {
                let [_, len @ ..] = self.prefix;
                self.left = usize::try_from(u32::from_be_bytes(len)).unwrap_or(0);
                self.n_prefix = 0;
                n += 1;
            }
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_count_alike_however_the_body_is_cut() {
        let mut body = Vec::new();
        for len in [0_u32, 1, 7, 300] {
            body.push(0);
            body.extend(len.to_be_bytes());
            body.extend(vec![0xff; len as usize]);
        }
        for piece in [1, 2, 3, 5, 6, 64, body.len()] {
            let mut count = MessageCount::default();
            let n: u64 = body.chunks(piece).map(|bytes| count.see(bytes)).sum();
            assert_eq!(n, 4, "pieces of {piece}");
        }
    }
}
