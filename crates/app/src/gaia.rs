//! Gaia's stars for sessions: of a table on this machine, or of a service that is asked and whose answers are kept for a while.

mod kept;

use std::sync::Arc;
use std::time::Duration;

use holotype_archives::ArchiveError;
use holotype_archives::http::Policy;
use holotype_archives::source::SourceError;
use holotype_archives::tap::{self, Tap};
use holotype_core::Clock;
use holotype_photometry::hr_diagram::{GaiaSource, read_csv};
use holotype_photometry::request::Target;
use holotype_sessions::{OperationError, StarTable, Stars, Stopped};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use url::Url;

use crate::config::Config;
use kept::{Answers, Question};

/// The most sources that are asked for at a time. A cone of 15 arcminutes has some 9000 of Gaia's 1.8 billion, on the average of the sky.
const ROWS: usize = 200_000;

/// The most bytes of an answer: as many rows, each of which has some twenty-five numbers.
const LARGEST: usize = 96 << 20;

/// How long an answer is kept. The release is final; what may change are the tables beside it.
const KEPT_FOR: Duration = Duration::from_secs(30 * 86_400);

/// How often it is looked whether to go on waiting.
const GLANCE: Duration = Duration::from_millis(500);

/// Where the configuration says that Gaia's stars come from. Call it on the runtime that the application works on.
///
/// # Errors
/// [`SourceError::Address`] for a service that cannot be asked.
pub(crate) fn stars(config: &Config, clock: &Arc<dyn Clock>) -> Result<Arc<dyn Stars>, ArchiveError> {
    let Some(service) = &config.sessions.gaia_tap else {
        return Ok(Arc::new(StarTable(config.sessions.gaia.clone())));
    };
    let answers = Answers::new(config.home.sky_directory(), KEPT_FOR, Arc::clone(clock));
    Ok(Arc::new(GaiaService::new(service, tap::POLICY, answers, clock)?))
}

/// A service that has the tables of Gaia's archive under their names there.
struct GaiaService {
    tap: Tap,
    answers: Answers,
    runtime: Handle,
    rows: usize,
    /// One question at a time: who asks the same finds its answer.
    turn: Mutex<()>,
}

impl GaiaService {
    fn new(service: &Url, policy: Policy, answers: Answers, clock: &Arc<dyn Clock>) -> Result<Self, SourceError> {
        let tap = Tap::new(service, policy, Arc::clone(clock))?;
        Ok(Self { tap, answers, runtime: Handle::current(), rows: ROWS, turn: Mutex::default() })
    }

    async fn ask(&self, query: String) -> Result<Vec<GaiaSource>, OperationError> {
        let _turn = self.turn.lock().await;
        let question = Question { service: self.tap.address().to_owned(), query };
        if let Some(sources) = self.answers.find(&question) {
            return Ok(sources);
        }
        let table = self.tap.csv(&question.query, self.rows, LARGEST).await.map_err(|error| self.failure(error))?;
        let read = read_csv(&format!("the answer of {}", self.tap.host()), &table[..])?;
        // What says that it is full may have been cut.
        if read.sources.len() + read.left_out >= self.rows {
            return Err(self.crowded());
        }
        self.answers.keep(&question, &table);
        Ok(read.sources)
    }

    fn failure(&self, error: SourceError) -> OperationError {
        match error {
            SourceError::TooLarge { .. } => self.crowded(),
            error => {
                let problem = format!("Gaia's stars cannot be had: {error}");
                OperationError::Stars { problem, category: error.category() }
            }
        }
    }

    fn crowded(&self) -> OperationError {
        OperationError::refused(format!(
            "search_radius_arcmin: Gaia knows more than {} stars there: choose a smaller radius.",
            self.rows
        ))
    }
}

impl Stars for GaiaService {
    fn around(&self, place: &Target, radius: f64, stopped: Stopped<'_>) -> Result<Vec<GaiaSource>, OperationError> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                reason = when(stopped) => Err(reason),
                sources = self.ask(query(place, radius)) => sources,
            }
        })
    }
}

/// Waits until `stopped` says to stop.
async fn when(stopped: Stopped<'_>) -> OperationError {
    loop {
        if let Some(reason) = stopped() {
            return reason;
        }
        tokio::time::sleep(GLANCE).await;
    }
}

/// The question for the single stars of a cone: places, motions and magnitudes of Gaia's third release, distances by Bailer-Jones et al.
/// 2021 (AJ 161, 147), and magnitudes of the spectra by Gaia Collaboration, Montegriffo et al. 2023 (A&A 674, A33).
///
/// The brightest come first: of a service that gives fewer rows than it is asked for, which no CSV tells, the faintest are lost.
fn query(place: &Target, radius_arcmin: f64) -> String {
    let columns = |table: &str, names: &[&str]| names.iter().map(|name| format!("{table}.{name}")).collect::<Vec<_>>();
    let mut wanted = columns(
        "star",
        &[
            "ra",
            "dec",
            "pmra",
            "pmra_error",
            "pmdec",
            "pmdec_error",
            "parallax",
            "parallax_error",
            "ruwe",
            "phot_g_mean_mag",
        ],
    );
    wanted.extend(columns("distance", &["r_med_geo", "r_lo_geo", "r_hi_geo"]));
    for band in ["g", "r", "i", "z"] {
        wanted.extend(["mag", "flux", "flux_error"].map(|part| format!("spectrum.{band}_sdss_{part}")));
    }
    let Target { ra, dec, .. } = place;
    format!(
        "SELECT {} FROM gaiadr3.gaia_source AS star \
         LEFT JOIN external.gaiaedr3_distance AS distance ON distance.source_id = star.source_id \
         LEFT JOIN gaiadr3.synthetic_photometry_gspc AS spectrum ON spectrum.source_id = star.source_id \
         WHERE 1 = CONTAINS(POINT('ICRS', star.ra, star.dec), CIRCLE('ICRS', {ra}, {dec}, {})) AND star.ruwe < 1.4 \
         ORDER BY star.phot_g_mean_mag",
        wanted.join(", "),
        radius_arcmin / 60.0,
    )
}

#[cfg(test)]
mod tests;
