//! What stays: results, and nothing else.

use holotype_sessions::{FileName, Status};
use holotype_testkit::on_both_engines;

use crate::bench::Bench;

on_both_engines! {
    async fn a_result_outlives_the_operations_that_asked_for_it(bench: Bench) {
        bench.work();
        bench.frame("a", b"a", None).await;
        let session = bench.session(&bench.ann).await;
        let asked = bench.ask(&bench.ann, session, &["a"], "copy").await.unwrap();
        let ended = bench.ended(&bench.ann, asked.id).await;
        bench.sessions.delete(&bench.ann, session).await.unwrap();
        let name = FileName::parse(&format!("{}-1.fits", ended.key)).unwrap();
        assert!(bench.sessions.file(Some(&bench.ann), &name).await.is_err(), "nothing of hers points to it");
        bench.clock.advance(std::time::Duration::from_secs(365 * 86_400));
        let session = bench.session(&bench.ann).await;
        let again = bench.ask(&bench.ann, session, &["a"], "copy").await.unwrap();
        assert_eq!((again.status, bench.begun()), (Status::Completed, 1));
        assert!(bench.sessions.file(Some(&bench.ann), &name).await.is_ok());
    }
}
