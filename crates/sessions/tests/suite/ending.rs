//! Work that does not come to its end by itself.

use std::sync::atomic::Ordering;
use std::time::Duration;

use holotype_core::Category;
use holotype_jobs::State;
use holotype_sessions::{SessionError, Status};
use holotype_testkit::on_both_engines;

use crate::bench::Bench;

impl Bench {
    async fn job_is(&self, id: holotype_core::ActivityId, wanted: State) {
        while self.jobs.get(&self.ann, id).await.unwrap().state != wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

on_both_engines! {
    async fn what_failed_says_why_and_is_tried_again_when_it_is_asked_for_again(bench: Bench) {
        bench.work();
        bench.frame("a", b"a", None).await;
        let session = bench.session(&bench.ann).await;
        let first = bench.ask(&bench.ann, session, &["a"], "refuse").await.unwrap();
        let failed = bench.ended(&bench.ann, first.id).await;
        assert_eq!((failed.status, failed.message.as_str()), (Status::Failed, "these frames have nothing in common"));
        assert_eq!(failed.output, None);
        assert_eq!(bench.look(&bench.ann, first.id).await.status, Status::Failed, "to look is not to try again");
        let again = bench.ask(&bench.ann, session, &["a"], "refuse").await.unwrap();
        assert_eq!((again.status, again.key), (Status::InProgress, failed.key));
        bench.ended(&bench.ann, again.id).await;
        assert_eq!(bench.begun(), 2);
    }

    async fn a_fault_of_ours_is_told_in_one_sentence(bench: Bench) {
        bench.work();
        bench.frame("a", b"a", None).await;
        let session = bench.session(&bench.ann).await;
        let asked = bench.ask(&bench.ann, session, &["a"], "panic").await.unwrap();
        let failed = bench.ended(&bench.ann, asked.id).await;
        assert_eq!(failed.message, "An unknown error ended the operation. The log of its job tells more.");
        let log = bench.jobs.log(&bench.ann, failed.job.unwrap(), 0).await.unwrap();
        assert!(log.iter().any(|line| line.text.contains("panicked")), "{log:?}");
        bench.scratch_is_empty().await;
    }

    async fn an_archive_that_does_not_answer_is_asked_again(bench: Bench) {
        bench.work();
        bench.frame("far-dead", b"a", None).await;
        let session = bench.session(&bench.ann).await;
        let asked = bench.ask(&bench.ann, session, &["far-dead"], "copy").await.unwrap();
        let job = asked.job.unwrap();
        while bench.jobs.get(&bench.ann, job).await.unwrap().attempt == 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(bench.look(&bench.ann, asked.id).await.status, Status::InProgress);
        assert_eq!(bench.begun(), 0);
    }

    async fn work_that_nobody_waits_for_any_more_is_stopped(bench: Bench) {
        bench.work();
        bench.frame("a", b"a", None).await;
        let (one, other) = (bench.session(&bench.ann).await, bench.session(&bench.ann).await);
        let first = bench.ask(&bench.ann, one, &["a"], "wait").await.unwrap();
        let second = bench.ask(&bench.ann, other, &["a"], "wait").await.unwrap();
        let job = first.job.unwrap();
        bench.until(&bench.ann, first.id, |found| found.progress > 0.0).await;
        bench.sessions.delete(&bench.ann, one).await.unwrap();
        assert_eq!(bench.jobs.get(&bench.ann, job).await.unwrap().state, State::Running);
        let deleted = bench.sessions.delete_operations(&bench.ann, other, vec![second.id, first.id]).await.unwrap();
        assert_eq!(deleted, 1);
        bench.job_is(job, State::Cancelled).await;
        bench.scratch_is_empty().await;

        // Asked for again, it is begun anew, and the first attempt cannot write into it.
        bench.gate.open.store(true, Ordering::SeqCst);
        let again = bench.ask(&bench.ann, other, &["a"], "wait").await.unwrap();
        assert_ne!(again.job, Some(job));
        assert_eq!(bench.ended(&bench.ann, again.id).await.status, Status::Completed);
    }

    async fn an_operation_is_cancelled_unless_others_wait_for_the_same(bench: Bench) {
        bench.work();
        bench.frame("a", b"a", None).await;
        let bob = bench.user("bob").await;
        let (hers, his) = (bench.session(&bench.ann).await, bench.session(&bob).await);
        let first = bench.ask(&bench.ann, hers, &["a"], "wait").await.unwrap();
        let second = bench.ask(&bob, his, &["a"], "wait").await.unwrap();
        let refused = bench.sessions.cancel(&bench.ann, first.id).await.unwrap_err();
        assert!(matches!(refused, SessionError::Shared { .. }), "{refused}");
        bench.sessions.delete_operations(&bob, his, vec![second.id]).await.unwrap();
        bench.sessions.cancel(&bench.ann, first.id).await.unwrap();
        bench.job_is(first.job.unwrap(), State::Cancelled).await;
        let ended = bench.look(&bench.ann, first.id).await;
        assert_eq!((ended.status, ended.message.as_str()), (Status::Failed, "The operation was cancelled."));
        let over = bench.sessions.cancel(&bench.ann, first.id).await.unwrap_err();
        assert_eq!(over.category(), Category::Conflict);
    }
}
