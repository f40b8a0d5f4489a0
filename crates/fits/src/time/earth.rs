//! Where the Earth is, seen from the Sun.

/// One wave of the series: its amplitude in astronomical units, its phase in radians, and its frequency in radians per
/// thousand Julian years.
type Wave = (f64, f64, f64);

/// Days from the epoch J2000.0 to a thousand Julian years later.
const MILLENNIUM: f64 = 365_250.0;

/// The epoch J2000.0 as a Julian date (dynamical time).
const J2000: f64 = 2_451_545.0;

/// Sine and cosine of the obliquity of the ecliptic at J2000.0 that the theory goes with, 23 degrees 26' 21.409".
const SIN_OBLIQUITY: f64 = 0.397_776_982_902;
const COS_OBLIQUITY: f64 = 0.917_482_137_087;

/// The heliocentric position of the Earth's centre in astronomical units, x to the equinox and z to the pole of the equator of
/// J2000.0, at a Julian date in dynamical time.
///
/// The series is the theory VSOP87, version A (rectangular coordinates, ecliptic and equinox of J2000.0), of P. Bretagnon and
/// G. Francou, Astronomy and Astrophysics 202 (1988), 309, table `VSOP87A.ear`, cut off at waves that are never larger than
/// 2e-6 astronomical units between 1900 and 2100. In these years it is within 2.2e-5 astronomical units (3,300 km, 11 ms
/// of light) of the whole theory. Before and after them it becomes worse slowly.
pub(super) fn heliocentric_position(julian_date: f64) -> [f64; 3] {
    let time = (julian_date - J2000) / MILLENNIUM;
    let sum = |waves: &[Wave]| -> f64 {
        waves.iter().map(|(amplitude, phase, frequency)| amplitude * (phase + frequency * time).cos()).sum()
    };
    let x = sum(&X_CONSTANT) + time * sum(&X_GROWING);
    let y = sum(&Y_CONSTANT) + time * sum(&Y_GROWING);
    let z = sum(&Z_CONSTANT) + time * sum(&Z_GROWING);
    [x, COS_OBLIQUITY * y - SIN_OBLIQUITY * z, SIN_OBLIQUITY * y + COS_OBLIQUITY * z]
}

const X_CONSTANT: [Wave; 31] = [
    (0.999829288, 1.753486, 6283.0758),
    (0.008352573, 1.710345, 12566.1517),
    (0.005611442, 0.000000, 0.0000),
    (0.000104666, 1.667226, 18849.2275),
    (0.000031108, 0.668752, 83996.8473),
    (0.000025525, 0.583102, 529.6910),
    (0.000021373, 1.092352, 1577.3435),
    (0.000017091, 0.495402, 6279.5527),
    (0.000017079, 6.153155, 6286.5990),
    (0.000014452, 3.472728, 2352.8662),
    (0.000010910, 3.689848, 5223.6939),
    (0.000009344, 6.073899, 12036.4607),
    (0.000008991, 3.175720, 10213.2855),
    (0.000005665, 2.152620, 1059.3819),
    (0.000006844, 1.306990, 5753.3849),
    (0.000007345, 4.355002, 398.1490),
    (0.000006814, 2.218215, 4705.7323),
    (0.000006112, 5.384792, 6812.7668),
    (0.000004518, 6.087683, 5884.9268),
    (0.000004520, 1.279337, 6256.7775),
    (0.000004495, 5.369238, 6309.3742),
    (0.000004062, 0.543614, 6681.2249),
    (0.000005410, 0.786774, 775.5226),
    (0.000005470, 1.461467, 14143.4952),
    (0.000005205, 4.432958, 7860.4194),
    (0.000002150, 4.502138, 11506.7698),
    (0.000002279, 1.239415, 7058.5985),
    (0.000002259, 3.272443, 4694.0030),
    (0.000002558, 2.265563, 12168.0027),
    (0.000002562, 1.454741, 709.9330),
    (0.000002090, 5.852075, 11790.6291),
];

const X_GROWING: [Wave; 2] = [(0.001234031, 0.000000, 0.0000), (0.000515002, 6.002663, 12566.1517)];

const Y_CONSTANT: [Wave; 33] = [
    (0.999892110, 0.182659, 6283.0758),
    (-0.024426990, 0.000000, 0.0000),
    (0.008352923, 0.139529, 12566.1517),
    (0.000104670, 0.096417, 18849.2275),
    (0.000031108, 5.381141, 83996.8473),
    (0.000025703, 5.301040, 529.6910),
    (0.000021475, 2.662535, 1577.3435),
    (0.000017092, 5.207804, 6279.5527),
    (0.000017080, 4.582329, 6286.5990),
    (0.000014403, 1.900682, 2352.8662),
    (0.000011351, 5.273134, 5223.6939),
    (0.000009345, 4.503012, 12036.4607),
    (0.000009006, 1.605633, 10213.2855),
    (0.000005671, 0.581422, 1059.3819),
    (0.000007449, 2.807289, 398.1490),
    (0.000006393, 6.029239, 5753.3849),
    (0.000006813, 0.647296, 4705.7323),
    (0.000006113, 3.813815, 6812.7668),
    (0.000004504, 4.527856, 5884.9268),
    (0.000004520, 5.991672, 6256.7775),
    (0.000004500, 3.798804, 6309.3742),
    (0.000005514, 3.961252, 5507.5532),
    (0.000004063, 5.256163, 6681.2249),
    (0.000005413, 5.499028, 775.5226),
    (0.000005464, 6.173111, 14143.4952),
    (0.000005071, 2.870252, 7860.4194),
    (0.000002195, 2.952161, 11506.7698),
    (0.000002279, 5.951792, 7058.5985),
    (0.000002278, 4.845471, 4694.0030),
    (0.000002558, 0.694542, 12168.0027),
    (0.000002561, 6.167225, 709.9330),
    (0.000002063, 4.283667, 11790.6291),
    (0.000002000, 2.501441, 17789.8456),
];

const Y_GROWING: [Wave; 2] = [(0.000930463, 0.000000, 0.0000), (0.000515066, 4.431805, 12566.1517)];

const Z_CONSTANT: [Wave; 1] = [(0.000002796, 3.198702, 84334.6616)];

const Z_GROWING: [Wave; 2] = [(0.002278224, 3.413725, 6283.0758), (0.000054293, 0.000000, 0.0000)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_follows_the_earth_for_two_centuries() {
        // The positions of an independent evaluation of the whole theory, fitted to DE405: `erfa.epv00` of pyerfa 2.
        let expected = [
            (2_415_020.5, [-0.19688756, 0.88377341, 0.38339585]),
            (2_433_447.5, [-0.10565862, -0.92691391, -0.40199541]),
            (2_440_300.5, [-0.99594953, 0.00569437, 0.00246352]),
            (2_447_101.5, [0.76900309, 0.57546392, 0.24951478]),
            (2_451_544.5, [-0.16852462, 0.88884295, 0.38535608]),
            (2_456_042.5, [-0.82387123, -0.52974071, -0.22964985]),
            (2_460_506.5, [0.39187714, -0.86049766, -0.37301505]),
            (2_461_364.5, [0.53390417, 0.76297219, 0.33072763]),
            (2_471_852.5, [0.71345303, -0.66128725, -0.28661327]),
            (2_488_068.5, [-0.14012552, 0.89310956, 0.38697078]),
        ];
        for (julian_date, expected) in expected {
            let found = heliocentric_position(julian_date);
            let distance = found.iter().zip(expected).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
            assert!(distance < 2.2e-5, "{julian_date}: {found:?} is {distance:e} astronomical units off");
        }
    }
}
