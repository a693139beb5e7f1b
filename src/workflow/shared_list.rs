//! A list whose owner gives frozen copies away for next to nothing.
//!
//! The owner must not wait while a reader copies tens of thousands of entries: entries live
//! in chunks, a copy shares all of them, and the owner copies a shared chunk when it changes it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Entries of a chunk: what a change copies at most, and what a copy is shorter by.
const CHUNK: usize = 128;

/// Entries in some order. A clone is a frozen copy: later changes do not reach it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Vec<T>", into = "Vec<T>", bound(serialize = "T: Clone + Serialize"))]
pub struct SharedList<T> {
    /// All but the last are full.
    chunks: Vec<Arc<Vec<T>>>,
}

impl<T> Default for SharedList<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T> SharedList<T> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        let last = self.chunks.last().map_or(0, |chunk| chunk.len());
        self.chunks.len().saturating_sub(1) * CHUNK + last
    }

    /// True without any entry.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The entries, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }
}

impl<T: Clone> SharedList<T> {
    /// Adds an entry at the end.
    pub fn push(&mut self, entry: T) {
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => Arc::make_mut(last).push(entry),
            Some(_) | None => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(entry);
                self.chunks.push(Arc::new(chunk));
            }
        }
    }

    /// Takes out the entry at a place; the last one takes its place.
    pub fn swap_remove(&mut self, at: usize) -> Option<T> {
        if self.len() <= at {
            return None;
        }
        let last = Arc::make_mut(self.chunks.last_mut()?);
        let moved = last.pop()?;
        if last.is_empty() {
            self.chunks.pop();
        }
        if at == self.len() {
            return Some(moved);
        }
        let place = Arc::make_mut(self.chunks.get_mut(at / CHUNK)?).get_mut(at % CHUNK)?;
        Some(std::mem::replace(place, moved))
    }
}

impl<T> From<Vec<T>> for SharedList<T> {
    fn from(entries: Vec<T>) -> Self {
        let (mut entries, mut chunks) = (entries.into_iter(), Vec::new());
        loop {
            let chunk: Vec<T> = entries.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                return Self { chunks };
            }
            chunks.push(Arc::new(chunk));
        }
    }
}

impl<T: Clone> From<SharedList<T>> for Vec<T> {
    fn from(list: SharedList<T>) -> Self {
        list.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Change {
        Push(u32),
        Remove(usize),
        Freeze,
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            5 => any::<u32>().prop_map(Change::Push),
            4 => any::<usize>().prop_map(Change::Remove),
            1 => Just(Change::Freeze),
        ]
    }

    proptest! {
        #[test]
        fn it_is_a_vector_and_copies_stay_as_they_were(
            start in proptest::collection::vec(any::<u32>(), 0..600),
            changes in proptest::collection::vec(change(), 0..400),
        ) {
            let mut list = SharedList::from(start.clone());
            let mut vector = start;
            let mut frozen = Vec::new();
            for change in changes {
                match change {
                    Change::Push(entry) => {
                        list.push(entry);
                        vector.push(entry);
                    }
                    Change::Remove(at) => {
                        // Sometimes one beyond the end.
                        let at = at % (vector.len() + 1);
                        let expected = (at < vector.len()).then(|| vector.swap_remove(at));
                        prop_assert_eq!(list.swap_remove(at), expected);
                    }
                    Change::Freeze => frozen.push((list.clone(), vector.clone())),
                }
                prop_assert_eq!((list.len(), list.is_empty()), (vector.len(), vector.is_empty()));
            }
            frozen.push((list, vector));
            for (list, vector) in frozen {
                let bytes = postcard::to_stdvec(&list).unwrap();
                prop_assert_eq!(&bytes, &postcard::to_stdvec(&vector).unwrap());
                let read: SharedList<u32> = postcard::from_bytes(&bytes).unwrap();
                prop_assert!(read.iter().eq(&vector) && list.iter().eq(&vector));
            }
        }
    }
}
