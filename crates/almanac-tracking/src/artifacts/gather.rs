//! Pieces of a file that come in, held until there are enough of them to be written at once.
//!
//! Small pieces are copied together: a sender that sends a byte at a time must not cost a list entry, or a network buffer, for
//! each.
//!
//! Not here: how much is enough.

use bytes::{Bytes, BytesMut};

/// Pieces from this size on are kept as they are.
const LARGE: usize = 16 << 10;

/// Pieces in their order.
#[derive(Debug, Default)]
pub(super) struct Gather {
    pieces: Vec<Bytes>,
    small: BytesMut,
    length: usize,
}

impl Gather {
    pub(super) fn push(&mut self, piece: Bytes) {
        self.length += piece.len();
        if piece.len() >= LARGE {
            self.close();
            self.pieces.push(piece);
        } else {
            self.small.extend_from_slice(&piece);
            if self.small.len() >= LARGE {
                self.close();
            }
        }
    }

    /// Returns how many bytes are held.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Hands the pieces over and holds none.
    pub(super) fn take(&mut self) -> Vec<Bytes> {
        self.close();
        self.length = 0;
        std::mem::take(&mut self.pieces)
    }

    fn close(&mut self) {
        if !self.small.is_empty() {
            self.pieces.push(self.small.split().freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_keep_their_order_and_small_ones_come_together() {
        let mut gather = Gather::default();
        let mut wanted = Vec::new();
        for (size, byte) in [(1, 1), (LARGE, 2), (5, 3), (7, 4), (LARGE - 1, 5), (LARGE * 3, 6), (2, 7)] {
            wanted.extend(vec![byte; size]);
            gather.push(Bytes::from(vec![byte; size]));
        }
        assert_eq!(gather.len(), wanted.len());
        let pieces = gather.take();
        assert_eq!((pieces.concat(), pieces.len()), (wanted, 5));
        for _ in 0..100_000 {
            gather.push(Bytes::from_static(b"x"));
        }
        assert_eq!((gather.len(), gather.take().len(), gather.len()), (100_000, 7, 0));
    }
}
