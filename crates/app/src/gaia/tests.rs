use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use holotype_core::Category;
use holotype_testkit::clock::HandClock;

use super::*;
use crate::config::Overrides;
use crate::{Environment, Home};

const TABLE: &str = "ra,dec,pmra,ruwe,phot_g_mean_mag,r_med_geo,g_sdss_mag,g_sdss_flux,g_sdss_flux_error\n\
                     10.0,1.0,2.5,1.0,12.5,700,13.0,100.0,1.0\n10.01,1.0,,1.1,,,,,\n";

/// A TAP service on this machine, and an application's home.
struct Bench {
    folder: tempfile::TempDir,
    clock: Arc<HandClock>,
    url: Url,
    asked: Arc<AtomicUsize>,
}

impl Bench {
    async fn new(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let router = Router::new().route(
            "/tap/sync",
            axum::routing::post(move || {
                counted.fetch_add(1, Ordering::SeqCst);
                std::future::ready(answer())
            }),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/tap", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { folder: tempfile::tempdir().unwrap(), clock: Arc::default(), url, asked }
    }

    /// A service as a program that was started just now has it.
    fn service(&self) -> GaiaService {
        let clock: Arc<dyn Clock> = Arc::<HandClock>::clone(&self.clock);
        let answers = Answers::new(self.folder.path().join("sky"), KEPT_FOR, Arc::clone(&clock));
        let policy = Policy { first_pause: Duration::from_millis(1), ..tap::POLICY };
        GaiaService::new(&self.url, policy, answers, &clock).unwrap()
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Asks on a thread that may block, as operations do.
async fn around(service: GaiaService, radius: f64) -> Result<Vec<GaiaSource>, OperationError> {
    tokio::task::spawn_blocking(move || service.around(&place(), radius, &|| None)).await.unwrap()
}

fn place() -> Target {
    Target { name: None, ra: 10.0, dec: -1.0 }
}

fn answer(status: u16, body: &'static str) -> Response {
    (axum::http::StatusCode::from_u16(status).unwrap(), body).into_response()
}

#[test]
fn the_question_is_for_a_cone_of_single_stars_with_all_that_is_known_of_them() {
    let query = query(&place(), 15.0);
    for part in [
        "SELECT star.ra, star.dec, star.pmra, ",
        "distance.r_med_geo, distance.r_lo_geo, distance.r_hi_geo, spectrum.g_sdss_mag, spectrum.g_sdss_flux, ",
        "spectrum.z_sdss_flux_error FROM gaiadr3.gaia_source AS star LEFT JOIN external.gaiaedr3_distance AS distance ON ",
        "LEFT JOIN gaiadr3.synthetic_photometry_gspc AS spectrum ON spectrum.source_id = star.source_id WHERE ",
        "CIRCLE('ICRS', 10, -1, 0.25)) AND star.ruwe < 1.4",
    ] {
        assert!(query.contains(part), "{part} is not in {query}");
    }
}

#[tokio::test]
async fn what_was_answered_is_not_asked_again_for_thirty_days_by_whichever_program() {
    let bench = Bench::new(|| answer(200, TABLE)).await;
    let found = around(bench.service(), 15.0).await.unwrap();
    assert_eq!(found.iter().map(|source| (source.ra, source.g_mag)).next(), Some((10.0, 12.5)));
    assert!(found.len() == 2 && found[1].distance.is_nan());
    assert_eq!(format!("{found:?}"), format!("{:?}", around(bench.service(), 15.0).await.unwrap()));
    assert_eq!(bench.asked(), 1);
    around(bench.service(), 16.0).await.unwrap();
    assert_eq!(bench.asked(), 2, "another question");
    bench.clock.advance(KEPT_FOR);
    around(bench.service(), 15.0).await.unwrap();
    assert_eq!(bench.asked(), 3, "too long ago");
}

#[tokio::test]
async fn the_configuration_says_whom_to_ask_and_answers_are_kept_in_the_home() {
    let bench = Bench::new(|| answer(200, TABLE)).await;
    let clock: Arc<dyn Clock> = Arc::<HandClock>::clone(&bench.clock);
    let found = async |variables: &[(&str, &str)]| {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = Environment::new(variables, bench.folder.path());
        let config = Config::load(Home::at(bench.folder.path()), &environment, &Overrides::default()).unwrap();
        let stars = stars(&config, &clock).unwrap();
        tokio::task::spawn_blocking(move || stars.around(&place(), 180.0, &|| None)).await.unwrap()
    };
    assert_eq!(found(&[("HOLOTYPE_SESSIONS_GAIA_TAP", bench.url.as_str())]).await.unwrap().len(), 2);
    assert_eq!(std::fs::read_dir(bench.folder.path().join("cache/sky")).unwrap().count(), 1);
    std::fs::write(bench.folder.path().join("gaia.csv"), TABLE).unwrap();
    assert_eq!(found(&[("HOLOTYPE_SESSIONS_GAIA", "gaia.csv")]).await.unwrap().len(), 2);
    assert!(matches!(found(&[]).await, Err(OperationError::Refused { .. })));
    assert_eq!(bench.asked(), 1);
}

#[tokio::test]
async fn those_who_ask_the_same_at_a_time_share_one_answer() {
    let bench = Bench::new(|| answer(200, TABLE)).await;
    let service = Arc::new(bench.service());
    let asking = (0..4).map(|_| {
        let service = Arc::clone(&service);
        tokio::task::spawn_blocking(move || service.around(&place(), 15.0, &|| None).unwrap().len())
    });
    assert_eq!(futures::future::try_join_all(asking).await.unwrap(), [2; 4]);
    assert_eq!(bench.asked(), 1);
}

#[tokio::test]
async fn what_fails_is_told_and_never_kept() {
    let refused =
        "<VOTABLE><RESOURCE><INFO name='QUERY_STATUS' value='ERROR'>no such table</INFO></RESOURCE></VOTABLE>";
    for (status, body, category, told) in [
        (200, refused, Category::Unavailable, "refuses the query: no such table"),
        (400, refused, Category::Invalid, "no such table"),
        (503, "too many", Category::Unavailable, "answered 503"),
        (404, "", Category::NotFound, "answered 404"),
        (200, "ra,dec\n1,2\n3", Category::Unavailable, "it is damaged"),
        (200, "x,y\n1,2\n", Category::Invalid, "no column ra"),
    ] {
        let bench = Bench::new(move || answer(status, body)).await;
        for _ in 0..2 {
            let before = bench.asked();
            let error = around(bench.service(), 15.0).await.unwrap_err();
            assert_eq!(error.category(), category, "{error}");
            assert!(error.to_string().contains(told) && error.to_string().contains("127.0.0.1"), "{error}");
            assert!(bench.asked() > before);
        }
    }
}

#[tokio::test]
async fn a_cone_with_more_stars_than_are_taken_is_refused_with_what_to_do() {
    let bench = Bench::new(|| answer(200, TABLE)).await;
    let service = GaiaService { rows: 2, ..bench.service() };
    let error = around(service, 15.0).await.unwrap_err();
    assert_eq!(error.category(), Category::Invalid);
    assert!(error.to_string().contains("choose a smaller radius"), "{error}");
}

#[tokio::test]
async fn an_operation_that_is_stopped_waits_for_no_answer() {
    let bench = Bench::new(|| {
        let silent = futures::stream::pending::<Result<axum::body::Bytes, std::io::Error>>();
        axum::body::Body::from_stream(silent).into_response()
    })
    .await;
    let (service, stop) = (bench.service(), Arc::new(AtomicBool::new(false)));
    let stopped = Arc::clone(&stop);
    let asking = tokio::task::spawn_blocking(move || {
        service.around(&place(), 15.0, &|| stopped.load(Ordering::SeqCst).then_some(OperationError::Stopped))
    });
    while bench.asked() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stop.store(true, Ordering::SeqCst);
    assert!(matches!(asking.await.unwrap(), Err(OperationError::Stopped)));
}
