//! Colour-magnitude diagrams of a cluster that was made, and the recorded guess of a cluster's members.

use std::io::Cursor;

use holotype_fits::{Header, write};
use holotype_photometry::hr_diagram::{self, GaiaSource, Motion, Parameters, Synthetic, guess, read_fits};
use holotype_photometry::request::Target;
use holotype_photometry::{Frame, Progress};

use crate::samples::{alike, golden, numbers};
use crate::sky::{Columns, Exposure, Noise, Star, at, binary_table, grid};

#[test]
fn the_guess_of_members_is_the_recorded_one() {
    let Some(recorded) = golden("gaia_membership.json") else { return };
    let [pmra, pmdec, parallax, distance, low, high] =
        ["pmra", "pmdec", "parallax", "dist", "lo", "hi"].map(|key| numbers(&recorded[key]));
    let star = |index: usize| Motion {
        pmra: pmra[index],
        pmdec: pmdec[index],
        parallax: parallax[index],
        distance: distance[index],
        distance_lo: low[index],
        distance_hi: high[index],
    };
    let found = guess(&(0..pmra.len()).map(star).collect::<Vec<_>>()).unwrap();
    let found = serde_json::to_value(found).unwrap();
    for (key, expected) in recorded["result"].as_object().unwrap() {
        let (found, expected) = (found[key].as_f64().unwrap(), expected.as_f64().unwrap());
        assert!(alike(found, expected, 1e-12), "{key}: {found} is not {expected}");
    }
}

const YEARS: f64 = 10.0;

/// A cluster of 60 stars of one motion among 40 of any, as they are ten years after Gaia's epoch.
struct Made {
    stars: Vec<Star>,
    colours: Vec<f64>,
    gaia: Vec<GaiaSource>,
}

fn make() -> Made {
    let mut noise = Noise(99);
    let stars = grid(at(56.0, 24.0), 10, 10, 11.0);
    let colours: Vec<f64> = stars.iter().map(|star| 0.3 * (star.magnitude - 14.0)).collect();
    let gaia = stars.iter().enumerate().map(|(index, star)| {
        let is_member = index < 60;
        let (pmra, pmdec, parallax) = if is_member {
            (20.0 + 0.3 * noise.next(), -45.0 + 0.3 * noise.next(), 7.4 + 0.05 * noise.next())
        } else {
            (30.0 * noise.next(), 30.0 * noise.next(), 1.0)
        };
        let back = |motion: f64| motion * YEARS / 3_600_000.0;
        let position = star.position;
        GaiaSource {
            ra: position.right_ascension - back(pmra) / position.declination.to_radians().cos(),
            dec: position.declination - back(pmdec),
            pmra,
            pmra_error: 0.02,
            pmdec,
            pmdec_error: 0.02,
            parallax: parallax - 0.017,
            parallax_error: 0.02,
            distance: 1_000.0 / parallax,
            distance_lo: 990.0 / parallax,
            distance_hi: 1_010.0 / parallax,
            g_mag: star.magnitude,
            synthetic: [Some(Synthetic { magnitude: star.magnitude + colours[index], error: 0.04 }), None, None, None]
                .map(|it| it.or(Some(Synthetic { magnitude: star.magnitude, error: 0.0 }))),
        }
    });
    let gaia = gaia.collect();
    Made { stars, colours, gaia }
}

fn frames(made: &Made, shown: usize) -> (Frame, Frame) {
    let exposure = |name: &str, filter| {
        let mut exposure = Exposure::new(name, at(56.0, 24.0), "2026-01-01T12:00:00");
        exposure.filter = filter;
        exposure
    };
    let stars = &made.stars[..shown];
    let blue = |(star, colour): (&Star, &f64)| Star { magnitude: star.magnitude + colour, ..*star };
    let bluer: Vec<Star> = stars.iter().zip(&made.colours).map(blue).collect();
    let (blue, red) = (exposure("b", "gp"), exposure("r", "rp"));
    (blue.frame(vec![0.0; 65_536], Some(&blue.table(&bluer))), red.frame(vec![0.0; 65_536], Some(&red.table(stars))))
}

fn parameters(radius_arcmin: f64) -> Parameters {
    let target = Target { name: Some("Made".to_owned()), ra: 56.0, dec: 24.0 };
    Parameters::new(target, radius_arcmin).unwrap()
}

#[test]
fn a_cluster_has_its_colours_its_motion_and_its_distance() {
    let made = make();
    let (blue, red) = frames(&made, 80);
    let found = hr_diagram::run(&blue, &red, &parameters(3.0), &made.gaia, Progress::unwatched()).unwrap();
    assert_eq!((found.n_stars_matched, found.n_gaia_matched, found.n_gaia_only, found.n_stars), (80, 80, 20, 100));
    assert!(found.cmd[..80].windows(2).all(|pair| pair[0].mag <= pair[1].mag));
    for star in &found.cmd {
        // The sequence that was made, to the rounding of four decimals.
        assert!((star.color - 0.3 * (star.mag - 14.0)).abs() < 2e-4, "{star:?}");
        assert!(star.gaia_match && (star.parallax > 7.0 || (star.parallax - 1.0).abs() < 1e-9));
        let error = if star.gaia_only { 0.05_f64.hypot(0.03) } else { 0.01 * 2.0_f64.sqrt() };
        assert!((star.color_err - error).abs() < 1e-4, "{star:?}");
    }
    let members = found.membership_guess.as_ref().unwrap();
    assert!((members.pmra - 20.0).abs() < 0.15 && (members.pmdec + 45.0).abs() < 0.15, "{members:?}");
    assert!(members.parallax_min.unwrap() > 7.0 && members.parallax_max.unwrap() < 7.8, "{members:?}");
    assert!((members.distance_min.unwrap()..members.distance_max.unwrap()).contains(&(1_000.0 / 7.4)), "{members:?}");
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["cluster"]["radius_arcmin"], 3.0);
    assert!(json["cmd"][0].get("g_mag").is_none() && json["cmd"][99]["g_mag"].is_f64());
}

#[test]
fn a_cluster_without_gaia_or_out_of_sight_is_told() {
    let made = make();
    let (blue, red) = frames(&made, 100);
    let found = hr_diagram::run(&blue, &red, &parameters(0.5), &[], Progress::unwatched()).unwrap();
    assert!((1..100).contains(&found.n_stars) && found.n_gaia_matched == 0 && found.membership_guess.is_none());
    assert!(serde_json::to_value(&found).unwrap()["cmd"][0]["parallax"].is_null());
    let away = Target { name: None, ra: 57.0, dec: 24.0 };
    let away = Parameters::new(away, 15.0).unwrap();
    let refused = hr_diagram::run(&blue, &red, &away, &[], Progress::unwatched()).unwrap_err();
    assert!(refused.to_string().contains("neither file shows the cluster"), "{refused}");
    let exchanged = hr_diagram::run(&red, &blue, &parameters(3.0), &[], Progress::unwatched()).unwrap_err();
    assert!(exchanged.to_string().contains("received invalid input"), "{exchanged}");
    assert!(Parameters::new(Target { name: None, ra: 1.0, dec: 1.0 }, f64::NAN).is_err());
}

#[test]
fn gaia_sources_are_read_from_a_table_in_fits() {
    let columns: Columns = vec![
        ("RA", vec![10.0, 11.0, f64::NAN]),
        ("dec", vec![20.0, 21.0, 22.0]),
        ("ruwe", vec![1.0, 1.41, 1.0]),
        ("parallax", vec![2.5, 2.5, 2.5]),
        ("r_sdss_mag", vec![15.5, 15.5, 15.5]),
        ("r_sdss_mag_error", vec![0.02, 0.02, 0.02]),
    ];
    let mut bytes = Vec::new();
    write::empty_primary(&mut bytes, &Header::default()).unwrap();
    bytes.extend(binary_table("", &columns));
    let found = read_fits("gaia.fits", Cursor::new(&bytes)).unwrap();
    assert_eq!((found.sources.len(), found.left_out), (1, 2));
    let source = &found.sources[0];
    assert_eq!((source.ra, source.parallax, source.synthetic[1].unwrap().error), (10.0, 2.5, 0.02));
    assert!(source.pmra.is_nan());
    assert!(read_fits("cut.fits", Cursor::new(&bytes[..3_000])).is_err());
}
