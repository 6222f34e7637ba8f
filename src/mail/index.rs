//! Finds the fields of a name without a look at all the others: a block may have thousands.

/// Names that are equal, case aside, have the same key; most others have another.
pub(super) fn key(name: &[u8]) -> u8 {
    // Names of one length mostly end differently. The bit tells the cases of a letter apart.
    let last = name.last().copied().unwrap_or_default() | 0x20;
    last.wrapping_add(name.len().to_le_bytes()[0].wrapping_mul(5))
}

/// Which fields have a name of which key.
#[derive(Debug, Clone)]
pub(super) struct Index {
    /// For each key, the number of its first field, and then that of the first without a name.
    first: Vec<u32>,
    /// For each field, the number of the next one with its key.
    next: Vec<u32>,
}

/// Behind all keys.
const NAMELESS: usize = 256;

/// Stands for no field.
const NONE: u32 = u32::MAX;

/// The most fields that can be told apart.
pub(super) const MOST: usize = NONE as usize;

impl Index {
    /// Of at most [`MOST`] fields by their names, in order; some may have none.
    pub(super) fn new<'n>(names: impl ExactSizeIterator<Item = Option<&'n [u8]>> + DoubleEndedIterator) -> Self {
        let mut first = vec![NONE; NAMELESS + 1];
        let mut next = vec![NONE; names.len()];
        let numbers = 0..u32::try_from(names.len()).unwrap_or(NONE);
        // From the end, so that each comes to stand before those behind it.
        for ((number, next), name) in numbers.zip(&mut next).rev().zip(names.rev()) {
            let slot = name.map_or(NAMELESS, |name| usize::from(key(name)));
            *next = std::mem::replace(&mut first[slot], number);
        }
        Self { first, next }
    }

    /// The numbers of all fields whose names have this key, in order.
    pub(super) fn of(&self, key: u8) -> impl Iterator<Item = usize> {
        self.from(usize::from(key))
    }

    /// The numbers of all fields without a name, in order.
    pub(super) fn nameless(&self) -> impl Iterator<Item = usize> {
        self.from(NAMELESS)
    }

    fn from(&self, slot: usize) -> impl Iterator<Item = usize> {
        let some = |number: u32| (number != NONE).then_some(number as usize);
        std::iter::successors(some(self.first[slot]), move |number| some(self.next[*number]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_key_are_found_in_order_and_no_others() {
        let names: [Option<&[u8]>; 5] = [Some(b"To"), None, Some(b"tO"), Some(b"Subject"), Some(b"TO")];
        let index = Index::new(names.into_iter());
        assert_eq!(index.of(key(b"to")).collect::<Vec<_>>(), [0, 2, 4]);
        assert_eq!(index.of(key(b"SUBJECT")).collect::<Vec<_>>(), [3]);
        assert_eq!(index.of(key(b"From")).count(), 0);
        assert_eq!(index.nameless().collect::<Vec<_>>(), [1]);
        assert_eq!(Index::new([].into_iter()).of(key(b"")).count(), 0);
    }
}
