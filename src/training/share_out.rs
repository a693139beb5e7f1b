//! Sharing tasks out over threads, so that the result cannot depend on them.
//!
//! Every task writes to a place of its own; who does it is left to chance. Sums that
//! cross tasks are added by the caller, in task order.

use std::sync::{Mutex, PoisonError};

/// Does every task once, on at most `n_threads` threads; returns when all are done.
///
/// Threads take the next task when they are free, so unequal tasks even out. The
/// calling thread works too: it waits for a new thread only at the end.
pub(crate) fn share_out<T: Send>(
    n_threads: usize,
    tasks: impl ExactSizeIterator<Item = T> + Send,
    work: impl Fn(T) + Sync,
) {
    let n_threads = n_threads.min(tasks.len());
    if n_threads <= 1 {
        tasks.for_each(work);
        return;
    }
    let tasks = Mutex::new(tasks);
    let next = || tasks.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        while let Some(task) = next() {
            work(task);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..n_threads {
            scope.spawn(run);
        }
        run();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_done_once_whatever_the_number_of_threads() {
        for n_threads in [0, 1, 2, 3, 50] {
            let mut slots = [0_usize; 20];
            share_out(n_threads, slots.iter_mut().enumerate(), |(at, slot)| *slot += at + 1);
            assert!(slots.iter().enumerate().all(|(at, slot)| *slot == at + 1));
        }
    }
}
