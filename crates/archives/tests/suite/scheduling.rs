//! Fetches by the clock, and the list of what was fetched.

use holotype_archives::ArchiveError;
use holotype_archives::fetch::{FetchOptions, FetchRecord, FetchRequest, Schedule};
use holotype_catalog::Catalog;
use holotype_core::{Caller, Category, Instant, ProjectId, Role};
use holotype_jobs::State;
use holotype_testkit::on_both_engines;

use crate::bench::Bench;

const CONFIG: &str = "\
archives:
  lco:
    name: LCO
    active: True
    url: 'http://127.0.0.1:9/'
    token_envvar: LCO_TOKEN
    proposals: ['P1']
    reduction_level: {image: 91, spectrum: 0}
log_dir: logs
frame_list: logs/frame_list.txt
data_download_dir: incoming
data_reduction_dir: reduction
start_datetime: 'None'
end_datetime: 'None'
default_red_config: template.yaml
";

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

impl Bench {
    fn request(&self, config: &str) -> FetchRequest {
        let path = self.folder.path().join("data_download.yaml");
        std::fs::write(&path, config).unwrap();
        std::fs::write(self.folder.path().join("template.yaml"), "target:\n  name: x\n").unwrap();
        FetchRequest::load(&path, None, FetchOptions::default(), holotype_core::Clock::now(&*self.clock)).unwrap()
    }

    async fn nightly(&self, name: &str) -> Result<Schedule, ArchiveError> {
        let request = self.request(CONFIG);
        self.archives.add_schedule(&self.owner, ProjectId::DEFAULT, name, "0 9 * * *", "UTC", request).await
    }

    async fn fetched(&self) -> Vec<FetchRecord> {
        self.archives.fetches(&self.owner, ProjectId::DEFAULT, None, 1000).await.unwrap().items
    }

    /// The bounds of what was asked for, the latest first.
    async fn windows(&self) -> Vec<(String, String)> {
        let window =
            |record: &FetchRecord| (record.fetch.window.start.to_string(), record.fetch.window.end.to_string());
        self.fetched().await.iter().map(window).collect()
    }

    async fn user(&self, name: &str) -> Caller {
        self.catalog.create_user(&self.owner, name, None, false).await.unwrap();
        let (_, secret) = self.catalog.create_token(&Catalog::local_owner(), name, "test", None).await.unwrap();
        self.catalog.authenticate_token(&secret).await.unwrap().unwrap()
    }
}

fn window(start: &str, end: &str) -> (String, String) {
    (start.to_owned(), end.to_owned())
}

on_both_engines! {
    async fn each_night_is_fetched_once_and_for_the_24_hours_before(bench: Bench) {
        let schedule = bench.nightly("nightly").await.unwrap();
        assert_eq!(schedule.next_at, at("2026-01-01T09:00:00Z"));
        assert_eq!(bench.archives.fetch_what_is_due().await.unwrap(), 0);
        bench.clock.set(at("2026-01-01T08:59:59Z"));
        assert_eq!(bench.archives.fetch_what_is_due().await.unwrap(), 0);
        bench.clock.set(at("2026-01-01T09:00:00Z"));
        assert_eq!(bench.archives.fetch_what_is_due().await.unwrap(), 1);
        bench.clock.set(at("2026-01-02T08:59:59Z"));
        assert_eq!(bench.archives.fetch_what_is_due().await.unwrap(), 0);
        bench.clock.set(at("2026-01-02T09:00:14Z"));
        assert_eq!(bench.archives.fetch_what_is_due().await.unwrap(), 1);
        assert_eq!(bench.archives.fetch_what_is_due().await.unwrap(), 0);
        assert_eq!(bench.windows().await, [window("2026-01-01T09:00:00Z", "2026-01-02T09:00:14Z"), window("2025-12-31T09:00:00Z", "2026-01-01T09:00:00Z")]);
        let schedules = bench.archives.schedules(&bench.owner, ProjectId::DEFAULT).await.unwrap();
        let [schedule] = schedules.as_slice() else { unreachable!("there is one schedule: {schedules:?}") };
        let latest = &bench.fetched().await[0];
        assert_eq!((schedule.next_at, schedule.last_fetch), (at("2026-01-03T09:00:00Z"), Some(latest.job.id)));
        assert_eq!((latest.job.state, latest.job.max_attempts, latest.fetch.agent), (State::Queued, 3, bench.owner.user));
    }

    async fn nights_that_nobody_looked_at_are_fetched_once_and_whole(bench: Bench) {
        bench.nightly("nightly").await.unwrap();
        bench.clock.set(at("2026-01-04T12:00:00Z"));
        assert_eq!(bench.archives.fetch_what_is_due().await.unwrap(), 1);
        assert_eq!(bench.archives.fetch_what_is_due().await.unwrap(), 0);
        assert_eq!(bench.windows().await, [window("2025-12-31T09:00:00Z", "2026-01-04T12:00:00Z")]);
        bench.clock.set(at("2026-01-05T09:00:00Z"));
        assert_eq!(bench.archives.fetch_what_is_due().await.unwrap(), 1);
        assert_eq!(bench.windows().await[0], window("2026-01-04T09:00:00Z", "2026-01-05T09:00:00Z"));
    }

    async fn of_two_servers_one_asks(bench: Bench) {
        for name in ["a", "b", "c"] {
            bench.nightly(name).await.unwrap();
        }
        let other = bench.opened_again().await;
        for (day, fetched) in [("2026-01-01T09:00:00Z", 3), ("2026-01-02T09:00:00Z", 6)] {
            bench.clock.set(at(day));
            let (one, another) = tokio::join!(bench.archives.fetch_what_is_due(), other.fetch_what_is_due());
            assert_eq!(one.unwrap() + another.unwrap(), 3);
            assert_eq!(bench.fetched().await.len(), fetched);
        }
    }

    async fn a_window_that_is_written_down_is_the_window(bench: Bench) {
        let config = CONFIG.replacen("'None'", "'2024-07-14 00:00'", 1).replacen("'None'", "'2024-07-15 00:00'", 1);
        let request = bench.request(&config);
        bench.archives.add_schedule(&bench.owner, ProjectId::DEFAULT, "again", "0 9 * * *", "UTC", request).await.unwrap();
        bench.clock.set(at("2026-01-01T09:00:00Z"));
        assert_eq!(bench.archives.fetch_what_is_due().await.unwrap(), 1);
        assert_eq!(bench.windows().await, [window("2024-07-14T00:00:00Z", "2024-07-15T00:00:00Z")]);
    }

    async fn a_schedule_is_an_administrators_and_of_one_name(bench: Bench) {
        bench.nightly("nightly").await.unwrap();
        let taken = bench.nightly("nightly").await.unwrap_err();
        assert!(matches!(&taken, ArchiveError::ScheduleTaken { name } if name == "nightly"), "{taken}");
        for name in ["", "two\nlines", "a/b", "..", &"x".repeat(101)] {
            assert_eq!(bench.nightly(name).await.unwrap_err().category(), Category::Invalid, "{name}");
        }
        let admin = bench.user("admin").await;
        let ann = bench.user("ann").await;
        let request = bench.request(CONFIG);
        let refused = bench.archives.add_schedule(&ann, ann.project, "mine", "0 9 * * *", "UTC", request.clone()).await.unwrap_err();
        assert_eq!(refused.category(), Category::Denied);
        let absent = bench.archives.add_schedule(&admin, ann.project, "hers", "0 9 * * *", "UTC", request).await.unwrap_err();
        assert_eq!(absent.category(), Category::NotFound, "an administrator without a role there");
        assert_eq!(bench.archives.schedules(&ann, ProjectId::DEFAULT).await.unwrap_err().category(), Category::NotFound);
        assert_eq!(bench.archives.remove_schedule(&ann, ProjectId::DEFAULT, "nightly").await.unwrap_err().category(), Category::Denied);
        let unknown = bench.archives.remove_schedule(&admin, ProjectId::DEFAULT, "weekly").await.unwrap_err();
        assert!(matches!(unknown, ArchiveError::NoSchedule { .. }), "{unknown}");
        bench.archives.remove_schedule(&admin, ProjectId::DEFAULT, "nightly").await.unwrap();
        bench.clock.set(at("2026-01-02T09:00:00Z"));
        assert_eq!(bench.archives.fetch_what_is_due().await.unwrap(), 0);
        let told = bench.catalog.audit_events(&admin, None, 100).await.unwrap();
        let told: Vec<&str> = told.iter().map(|event| event.action.as_str()).filter(|action| action.starts_with("fetch-")).collect();
        assert_eq!(told, ["fetch-schedule.delete", "fetch-schedule.create"]);
    }

    async fn fetches_are_listed_newest_first_to_who_has_a_role(bench: Bench) {
        bench.nightly("nightly").await.unwrap();
        for day in ["2026-01-01T09:00:00Z", "2026-01-02T09:00:00Z", "2026-01-03T09:00:00Z"] {
            bench.clock.set(at(day));
            assert_eq!(bench.archives.fetch_what_is_due().await.unwrap(), 1);
        }
        let all: Vec<_> = bench.fetched().await.iter().map(|record| record.job.id).collect();
        let first = bench.archives.fetches(&bench.owner, ProjectId::DEFAULT, None, 2).await.unwrap();
        let second = bench.archives.fetches(&bench.owner, ProjectId::DEFAULT, first.next, 2).await.unwrap();
        let paged: Vec<_> = first.items.iter().chain(&second.items).map(|record| record.job.id).collect();
        assert!(paged == all && all.is_sorted_by(|one, other| one > other) && second.next.is_none(), "{paged:?} {all:?}");
        let (record, tally) = bench.archives.fetch_record(&bench.owner, all[0]).await.unwrap();
        assert_eq!((record.fetch.created_at, tally.listed()), (at("2026-01-03T09:00:00Z"), 0), "it has not begun, and is there");
        assert!(bench.archives.fetch_frames(&bench.owner, all[0], None, None, 10).await.unwrap().is_empty());
        let admin = bench.user("admin").await;
        let ann = bench.user("ann").await;
        let strangers = bench.archives.fetch_record(&ann, all[0]).await.unwrap_err();
        assert!(matches!(strangers, ArchiveError::NoFetch { .. }), "{strangers}");
        assert!(matches!(bench.archives.fetch_frames(&ann, all[0], None, None, 10).await, Err(ArchiveError::NoFetch { .. })));
        assert_eq!(bench.archives.fetches(&ann, ProjectId::DEFAULT, None, 10).await.unwrap_err().category(), Category::NotFound);
        bench.catalog.set_role(&admin, ProjectId::DEFAULT, "ann", Role::Viewer).await.unwrap();
        assert_eq!(bench.archives.fetches(&ann, ProjectId::DEFAULT, None, 10).await.unwrap().items.len(), 3);
        bench.archives.fetch_record(&ann, all[0]).await.unwrap();
    }
}
