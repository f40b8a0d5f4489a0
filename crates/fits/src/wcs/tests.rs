//! The reference positions were computed with astropy 8.0.2 (`WCS.all_pix2world`), the pixels being [`PIXELS`].

use super::*;

struct Case {
    name: &'static str,
    types: [&'static str; 2],
    /// What differs from, or comes on top of, [`BASE`].
    cards: &'static [(&'static str, f64)],
    positions: [(f64, f64); 4],
}

const BASE: [(&str, f64); 4] =
    [("CRPIX1", 256.5), ("CRPIX2", 100.25), ("CRVAL1", 266.76408333333336), ("CRVAL2", -34.18919444444444)];

const PIXELS: [(f64, f64); 4] = [(1.0, 1.0), (512.0, 1.0), (300.5, 217.75), (-40.0, 900.0)];

const CASES: &[Case] = &[
    Case {
        name: "CD",
        types: ["RA---TAN", "DEC--TAN"],
        cards: &[("CD1_1", -0.00010805555), ("CD1_2", 1e-07), ("CD2_1", 2e-07), ("CD2_2", 0.000108)],
        positions: [
            (266.79745160925376, -34.1999600271805),
            (266.730691097819, -34.199857820701226),
            (266.75835067225717, -34.17649551137168),
            (266.80287217072623, -34.102874714037185),
        ],
    },
    Case {
        name: "PC",
        types: ["RA---TAN", "DEC--TAN"],
        cards: &[
            ("PC1_1", 0.8),
            ("PC1_2", -0.6),
            ("PC2_1", 0.6),
            ("PC2_2", 0.8),
            ("CDELT1", -0.00011),
            ("CDELT2", 0.00013),
        ],
        positions: [
            (266.78335252481935, -34.2194439348893),
            (266.72898703120364, -34.17958244883826),
            (266.7687766875263, -34.1735423555025),
            (266.8593693495776, -34.12911066814519),
        ],
    },
    Case {
        name: "PC default",
        types: ["RA---TAN", "DEC--TAN"],
        cards: &[("PC1_2", 0.1), ("CDELT1", -0.00011), ("CDELT2", 0.00013)],
        positions: [
            (266.79938518021885, -34.20209188826915),
            (266.73142155992525, -34.20209261621835),
            (266.7566709915561, -34.17391922198843),
            (266.7928415668698, -34.0852237086889),
        ],
    },
    Case {
        name: "CROTA2",
        types: ["RA---TAN", "DEC--TAN"],
        cards: &[("CDELT1", -0.0002), ("CDELT2", 0.0003), ("CROTA2", 30.0)],
        positions: [
            (266.83558054497655, -34.18940961552316),
            (266.7285601748367, -34.24052521484208),
            (266.73357243769874, -34.16306327606057),
            (266.6813758088706, -33.95173700328747),
        ],
    },
    Case {
        name: "CDELT beside CD",
        types: ["RA---TAN", "DEC--TAN"],
        cards: &[("CD1_1", -0.0001), ("CD2_2", 0.0001), ("CDELT1", 5.0), ("CDELT2", 7.0)],
        positions: [
            (266.7949747979438, -34.199115572948614),
            (266.73319186872294, -34.199115572948614),
            (266.75876483895127, -34.177444329889504),
            (266.7998937652021, -34.10921430040141),
        ],
    },
    Case {
        name: "swapped",
        types: ["DEC--TAN", "RA---TAN"],
        cards: &[
            ("CRVAL1", -34.18919444444444),
            ("CRVAL2", 266.76408333333336),
            ("CDELT1", 0.0002),
            ("CDELT2", -0.0003),
            ("CROTA1", 20.0),
        ],
        positions: [
            (266.81906121299966, -34.22701681522462),
            (266.77677076875415, -34.13099186935284),
            (266.72039843906185, -34.19297361808382),
            (266.51564071831643, -34.326726288863675),
        ],
    },
    Case {
        name: "LONPOLE",
        types: ["RA---TAN", "DEC--TAN"],
        cards: &[("CD1_1", -0.0001), ("CD2_2", 0.0001), ("LONPOLE", 150.0)],
        positions: [
            (266.7968306057141, -34.18501039691552),
            (266.74332767891224, -34.210562997623235),
            (266.7523754596314, -34.181218090047096),
            (266.7468011446128, -34.10510791304346),
        ],
    },
    Case {
        name: "north pole",
        types: ["RA---TAN", "DEC--TAN"],
        cards: &[("CRVAL1", 40.0), ("CRVAL2", 90.0), ("CD1_1", -0.0001), ("CD2_2", 0.0001)],
        positions: [
            (288.77114106733177, 89.972590001635),
            (151.22885893266823, 89.972590001635),
            (60.529321443763365, 89.98745318785637),
            (19.658198720716655, 89.91470573069304),
        ],
    },
    Case {
        name: "south pole",
        types: ["RA---TAN", "DEC--TAN"],
        cards: &[("CRVAL1", 40.0), ("CRVAL2", -90.0), ("CD1_1", -0.0001), ("CD2_2", 0.0001)],
        positions: [
            (151.22885893265453, -89.972590001635),
            (288.7711410673454, -89.972590001635),
            (19.470678556247886, -89.98745318785636),
            (60.34180127928171, -89.91470573069302),
        ],
    },
    Case {
        name: "wide",
        types: ["RA---TAN", "DEC--TAN"],
        cards: &[("CRVAL1", 0.05), ("CRVAL2", 60.0), ("CD1_1", -0.1), ("CD1_2", 0.02), ("CD2_1", 0.02), ("CD2_2", 0.1)],
        positions: [
            (29.539635663500743, 41.331655324444036),
            (320.05246469612445, 47.7802038339034),
            (353.44717667763047, 72.32116715017197),
            (127.90565609731311, 56.28735323064646),
        ],
    },
    Case {
        name: "SIP",
        types: ["RA---TAN-SIP", "DEC--TAN-SIP"],
        cards: &[
            ("CD1_1", -0.00010805555),
            ("CD1_2", 1e-07),
            ("CD2_1", 2e-07),
            ("CD2_2", 0.000108),
            ("A_ORDER", 3.0),
            ("B_ORDER", 2.0),
            ("A_2_0", 2.5e-05),
            ("A_1_1", -1.25e-05),
            ("A_0_2", 3e-06),
            ("A_3_0", 4e-09),
            ("A_1_2", -2e-09),
            ("B_2_0", -7e-06),
            ("B_1_1", 1.5e-05),
            ("B_0_2", -2e-05),
        ],
        positions: [
            (266.7972839814622, -34.19998936438535),
            (266.7304243803048, -34.19996904974504),
            (266.7583474686715, -34.17651841607359),
            (266.80191104852565, -34.10470567873567),
        ],
    },
    Case {
        name: "SIP PC",
        types: ["RA---TAN-SIP", "DEC--TAN-SIP"],
        cards: &[
            ("PC1_1", 0.8),
            ("PC1_2", -0.6),
            ("PC2_1", 0.6),
            ("PC2_2", 0.8),
            ("CDELT1", -0.00011),
            ("CDELT2", 0.00013),
            ("A_ORDER", 3.0),
            ("B_ORDER", 2.0),
            ("A_2_0", 2.5e-05),
            ("A_1_1", -1.25e-05),
            ("A_0_2", 3e-06),
            ("A_3_0", 4e-09),
            ("A_1_2", -2e-09),
            ("B_2_0", -7e-06),
            ("B_1_1", 1.5e-05),
            ("B_0_2", -2e-05),
        ],
        positions: [
            (266.7831941414129, -34.219372347858496),
            (266.7286875096687, -34.17953079827575),
            (266.76875717973587, -34.17356252052623),
            (266.8572361005755, -34.1303028356137),
        ],
    },
];

fn header(types: [&str; 2], cards: &[(&str, f64)]) -> Header {
    let mut header = Header::default();
    header.set("CTYPE1", Value::Text(types[0].into()), None).unwrap();
    header.set("CTYPE2", Value::Text(types[1].into()), None).unwrap();
    for &(keyword, value) in BASE.iter().chain(cards) {
        let value = if keyword.ends_with("_ORDER") { Value::Integer(value as i128) } else { Value::Real(value) };
        header.set(keyword, value, None).unwrap();
    }
    header
}

fn wcs(types: [&str; 2], cards: &[(&str, f64)]) -> Wcs {
    Wcs::from_header(&header(types, cards)).unwrap().unwrap()
}

const PLAIN: [&str; 2] = ["RA---TAN", "DEC--TAN"];
const DISTORTED: [&str; 2] = ["RA---TAN-SIP", "DEC--TAN-SIP"];

#[test]
fn every_form_of_the_matrix_and_the_distortion_gives_the_reference_positions() {
    for case in CASES {
        let wcs = wcs(case.types, case.cards);
        for ((x, y), (right_ascension, declination)) in PIXELS.into_iter().zip(case.positions) {
            let expected = SkyPosition { right_ascension, declination };
            let found = wcs.sky(Pixel { x, y });
            let difference = found.separation(expected);
            assert!(difference < 1e-11, "{} ({x}, {y}): {found:?}, {difference:e} degrees off", case.name);
        }
    }
}

#[test]
fn a_position_leads_back_to_its_pixel() {
    for case in CASES {
        let wcs = wcs(case.types, case.cards);
        for ((x, y), (right_ascension, declination)) in PIXELS.into_iter().zip(case.positions) {
            let found = wcs.pixel(SkyPosition { right_ascension, declination }).unwrap();
            let difference = (found.x - x).hypot(found.y - y);
            assert!(difference < 1e-7, "{} ({x}, {y}): {found:?}, {difference:e} pixels off", case.name);
        }
    }
}

#[test]
fn a_position_a_quarter_of_the_sky_away_has_no_pixel() {
    let wcs = wcs(PLAIN, &[("CRVAL1", 10.0), ("CRVAL2", 0.0), ("CDELT1", -1.0), ("CDELT2", 1.0)]);
    let pixel = |right_ascension, declination| wcs.pixel(SkyPosition { right_ascension, declination });
    assert!(pixel(99.0, 0.0).is_some());
    assert_eq!(pixel(100.0, 0.0), None);
    assert_eq!(pixel(190.0, 0.0), None);
    assert_eq!(pixel(10.0, -90.0), None);
}

#[test]
fn a_position_that_the_distortion_never_reaches_has_no_pixel() {
    // u + u^2 is never less than -1/4.
    let orders = [("A_ORDER", 2.0), ("B_ORDER", 2.0), ("A_2_0", 1.0), ("CDELT1", 1e-4), ("CDELT2", 1e-4)];
    let wcs = wcs(DISTORTED, &[&orders[..], &[("CRVAL1", 10.0), ("CRVAL2", 0.0)]].concat());
    assert!(wcs.pixel(SkyPosition { right_ascension: 10.0 + 1e-4, declination: 0.0 }).is_some());
    assert_eq!(wcs.pixel(SkyPosition { right_ascension: 10.0 - 1e-4, declination: 0.0 }), None);
}

#[test]
fn the_matrix_is_told_in_one_form_whichever_the_header_has() {
    let wcs = wcs(PLAIN, &[("PC1_2", 0.5), ("CDELT1", -2e-4), ("CDELT2", 1e-4)]);
    assert_eq!(wcs.matrix(), [[-2e-4, -1e-4], [0.0, 1e-4]]);
    assert_eq!(wcs.reference_pixel(), Pixel { x: 256.5, y: 100.25 });
    assert_eq!(wcs.reference_values(), [266.76408333333336, -34.18919444444444]);
    assert_eq!(wcs.pixel_scales(), [2e-4, 1e-4f64.hypot(1e-4)]);
}

#[test]
fn a_header_without_axis_types_claims_no_coordinates() {
    assert_eq!(Wcs::from_header(&Header::default()).unwrap(), None);
}

#[test]
fn coordinates_that_are_not_understood_are_refused() {
    const SCALE: [(&str, f64); 2] = [("CDELT1", -1e-4), ("CDELT2", 1e-4)];
    for types in [["RA---TPV", "DEC--TPV"], ["GLON-TAN", "GLAT-TAN"], ["RA---TAN", ""], ["RA---TAN", "RA---TAN"]] {
        let error = Wcs::from_header(&header(types, &SCALE)).unwrap_err();
        assert!(matches!(error, FitsError::Unsupported { .. }), "{types:?}: {error}");
    }
    for extra in ["PV2_1", "PV1_12", "CPDIS1", "D2IMDIS2"] {
        let error = Wcs::from_header(&header(PLAIN, &[&SCALE[..], &[(extra, 1.5)]].concat())).unwrap_err();
        assert!(matches!(error, FitsError::Unsupported { .. }), "{extra}: {error}");
    }
    let mut radians = header(PLAIN, &SCALE);
    radians.set("CUNIT2", Value::Text("rad".into()), None).unwrap();
    assert!(matches!(Wcs::from_header(&radians), Err(FitsError::Unsupported { .. })));
}

#[test]
fn a_card_that_makes_no_sense_is_named() {
    const CD: [(&str, f64); 2] = [("CD1_1", -1e-4), ("CD2_2", 1e-4)];
    let at_fault = |header: &Header| match Wcs::from_header(header) {
        Err(FitsError::Header { keyword, .. }) => keyword,
        other => panic!("{other:?}"),
    };
    for (extra, keyword) in [
        (("CRVAL2", 91.0), "CRVAL2"),
        (("PC1_1", 1.0), "CD1_1"),
        (("CD1_1", 0.0), "CD1_1"),
        (("A_ORDER", 2.0), "B_ORDER"),
        (("B_ORDER", 2.0), "A_ORDER"),
        (("A_ORDER", 10.0), "A_ORDER"),
        (("A_ORDER", -1.0), "A_ORDER"),
    ] {
        assert_eq!(at_fault(&header(PLAIN, &[&CD[..], &[extra]].concat())), keyword);
    }
    assert_eq!(at_fault(&header(PLAIN, &[])), "CDELT1");
    let mut no_number = header(PLAIN, &CD);
    no_number.set("CRPIX1", Value::Text("256".into()), None).unwrap();
    assert_eq!(at_fault(&no_number), "CRPIX1");
    no_number.remove(|card| card.is("CRPIX1"));
    assert_eq!(at_fault(&no_number), "CRPIX1");
}

#[test]
fn numbers_at_the_ends_of_their_range_are_answered_or_refused_and_never_stop_us() {
    for size in [f64::MAX, f64::MIN_POSITIVE, 1e-300, 1e300] {
        for keyword in ["CRPIX1", "CRVAL1", "CD1_1", "LONPOLE", "A_2_0"] {
            let extra = [("CD1_1", -1e-4), ("CD2_2", 1e-4), ("A_ORDER", 9.0), ("B_ORDER", 9.0), (keyword, size)];
            let Ok(Some(wcs)) = Wcs::from_header(&header(DISTORTED, &extra)) else { continue };
            let position = wcs.sky(Pixel { x: 1e300, y: -1e300 });
            let pixel = wcs.pixel(position);
            assert!(pixel.is_none_or(|pixel| pixel.x.is_finite() && pixel.y.is_finite()), "{keyword} {size}");
            let ring = wcs.footprint(u64::MAX, u64::MAX);
            assert!(ring.is_none_or(|ring| ring.iter().flatten().all(|angle| angle.is_finite())), "{keyword} {size}");
        }
    }
}

#[test]
fn a_footprint_is_the_closed_ring_of_the_corner_pixels() {
    // An archive's answer for the frame with this header.
    let expected = [
        [-89.3927753782823, -29.029683381754445],
        [-89.39277628167235, -28.926063995318273],
        [-89.51116530551849, -28.92601292092245],
        [-89.51128303452674, -29.029632256179237],
        [-89.3927753782823, -29.029683381754445],
    ];
    let cards = [
        ("CRPIX2", 256.5),
        ("CRVAL1", 270.548),
        ("CRVAL2", -28.97786111111111),
        ("CD1_1", -0.00020277777777777),
        ("CD1_2", 1e-07),
        ("CD2_1", 1e-07),
        ("CD2_2", 0.000202777777777777),
    ];
    let ring = wcs(PLAIN, &cards).footprint(512, 512).unwrap();
    for (found, expected) in ring.iter().flatten().zip(expected.iter().flatten()) {
        assert!((found - expected).abs() < 1e-11, "{ring:?}");
    }
}

#[test]
fn a_footprint_across_180_or_0_degrees_stays_in_one_piece() {
    for centre in [179.99, 180.01, 359.99, 0.01] {
        let cards = [("CRPIX2", 256.5), ("CRVAL1", centre), ("CRVAL2", 0.0), ("CDELT1", -1e-3), ("CDELT2", 1e-3)];
        let ring = wcs(PLAIN, &cards).footprint(512, 512).unwrap();
        assert!((-180.0..=180.0).contains(&ring[0][0]), "{ring:?}");
        for (corner, side) in ring.iter().zip([1.0, 1.0, -1.0, -1.0, 1.0]) {
            let from_centre = corner[0] - ring[0][0] + 0.2555;
            assert!((from_centre - side * 0.2555).abs() < 1e-5, "{ring:?}");
        }
        assert_eq!(ring[0], ring[4]);
    }
}

#[test]
fn what_has_no_outline_has_no_footprint() {
    const SCALE: [(&str, f64); 2] = [("CDELT1", -1e-3), ("CDELT2", 1e-3)];
    assert_eq!(wcs(PLAIN, &SCALE).footprint(0, 10), None);
    let polar = wcs(PLAIN, &[&SCALE[..], &[("CRVAL2", -89.95)]].concat());
    assert_eq!(polar.footprint(512, 200), None);
    assert!(polar.footprint(512, 49).is_some());
}
