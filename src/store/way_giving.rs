//! Threads that give way to those who answer callers.
//!
//! Not the records' thread: while everything is busy it must still keep up.

/// Nice value of such a thread: a fraction of a core when others want it, all of it otherwise.
/// 10 is a tenth of the usual weight, see sched(7); 19 could starve behind a busy neighbor.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Lets the calling thread give way from now on, for as long as it lives.
pub fn give_way() {
    // On Linux a nice value is a thread's, elsewhere the whole process's: there it stays.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "a background thread keeps its priority");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_thread_that_gives_way_is_nice() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        let of_thread = std::thread::spawn(move || {
            give_way();
            nice()
        });
        assert_eq!(of_thread.join().unwrap(), before.max(NICE));
        assert_eq!(nice(), before);
    }
}
