//! A value that is replaced while others use it: what was read from a configuration, read anew.

use std::sync::{Arc, PoisonError, RwLock};

/// The value in force. Whatever began with an older one ends with that.
#[derive(Debug)]
pub struct Current<T>(RwLock<Arc<T>>);

impl<T> Current<T> {
    /// The first one.
    pub fn new(value: T) -> Self {
        Self(RwLock::new(Arc::new(value)))
    }

    /// The value in force now, to be kept for as long as one piece of work takes.
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another one in force.
    pub fn replace(&self, value: T) {
        let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *place, Arc::new(value));
        // The last owner of the old value may close connections, which no reader has to wait for.
        drop(place);
        drop(before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_began_with_a_value_keeps_it() {
        let current = Current::new(1);
        let began = current.get();
        current.replace(2);
        assert_eq!((*began, *current.get()), (1, 2));
    }
}
