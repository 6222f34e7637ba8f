//! The threads on which the site is asked, and the queue before them. Its length is fixed: a request that finds it
//! full is asked to come back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::backend::{Backend, Trouble};

/// Questions that may wait.
const QUEUE: usize = 256;
/// How long an answer is waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Makes a thread's own backend.
pub type Make = Arc<dyn Fn() -> Box<dyn Backend> + Send + Sync>;

type Question = Box<dyn FnOnce(&mut dyn Backend) + Send>;

/// The way to the threads.
#[derive(Clone)]
pub struct Workers {
    queue: SyncSender<Question>,
}

impl Workers {
    /// Starts threads. They end, and drop `make`, once the last `Workers` is gone and all questions are answered.
    pub fn start(count: usize, make: &Make) -> std::io::Result<Self> {
        let (queue, questions) = sync_channel::<Question>(QUEUE);
        let questions = Arc::new(Mutex::new(questions));
        for _ in 0..count {
            let (questions, make) = (Arc::clone(&questions), Arc::clone(make));
            std::thread::Builder::new().name("desk".to_owned()).spawn(move || work(&questions, &make))?;
        }
        Ok(Self { queue })
    }

    /// Asks one of the threads.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn Backend) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let (sender, answer) = oneshot::channel();
        let question: Question = Box::new(move |desk| {
            // Nobody waits any more: the browser has gone, or the time is over.
            if !sender.is_closed() {
                let _ = sender.send(question(desk));
            }
        });
        match self.queue.try_send(question) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => return Err(Trouble::Away),
        }
        match tokio::time::timeout(ANSWER_TIMEOUT, answer).await {
            Ok(Ok(answer)) => answer,
            // A fault in the backend, which is logged by the panic's hook.
            Ok(Err(_)) | Err(_) => Err(Trouble::Away),
        }
    }
}

fn work(questions: &Mutex<Receiver<Question>>, make: &Make) {
    let mut desk = make();
    loop {
        let next = questions.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(question) = next else { return };
        // What a panic left half done goes with the backend: its connections are closed.
        if catch_unwind(AssertUnwindSafe(|| question(desk.as_mut()))).is_err() {
            desk = make();
        }
    }
}
