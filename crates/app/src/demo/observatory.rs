//! An observatory that does not exist: three nights of one field, and a star in it that varies.

use std::f64::consts::TAU;
use std::time::Duration;

use holotype_core::Instant;
use holotype_fits::wcs::{SkyPosition, Wcs};
use holotype_fits::write::{Quantisation, empty_primary, rice};
use holotype_fits::{Card, FitsError, Header, Image, Pixels, Value};

use super::chance::Chance;
use super::laboratory::DAY;
use super::table;

/// Pixels along each side of a frame.
const SIDE: usize = 320;

/// Degrees of a pixel.
const SCALE: f64 = 0.78 / 3600.0;

/// Where the field is, in degrees.
const FIELD: SkyPosition = SkyPosition { right_ascension: 271.05, declination: -24.35 };

/// Stars in the field.
const STARS: usize = 70;

/// The standard deviation of a star's picture, in pixels.
const SEEING: f64 = 1.4;

/// The magnitude of a star that gives one electron in an exposure.
const ZERO_POINT: f64 = 25.5;

/// Electrons of the sky in a pixel, and those that reading adds.
const SKY: f64 = 300.0;
const READ_NOISE: f64 = 8.0;

/// Days in which the star varies once, and by how many magnitudes to either side.
const PERIOD: f64 = 0.2718;
const AMPLITUDE: f64 = 0.35;

const EXPOSURE: f64 = 60.0;

/// What the star that varies is called.
pub(super) const TARGET: &str = "Demo V1";

/// For which proposal it is observed.
const PROPOSAL: &str = "DEMO-001";

/// The observatory of a seed, at work until a moment.
#[derive(Debug, Clone)]
pub(super) struct Observatory {
    stars: Vec<Star>,
    end: Instant,
    chance: Chance,
}

#[derive(Debug, Clone, Copy)]
struct Star {
    position: SkyPosition,
    /// Its magnitude in red light.
    magnitude: f64,
    /// How much fainter it is in blue light.
    colour: f64,
    varies: bool,
}

/// A file as the observatory's pipeline writes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FrameFile {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// A filter: its name, how much of a star's colour it sees, and how brightly the nebula shines through it.
#[derive(Debug, Clone, Copy)]
struct Band {
    name: &'static str,
    colour: f64,
    nebula: f64,
}

const RED: Band = Band { name: "rp", colour: 0.0, nebula: 120.0 };
const GREEN: Band = Band { name: "gp", colour: 0.5, nebula: 35.0 };
const BLUE: Band = Band { name: "B", colour: 1.0, nebula: 15.0 };

impl Observatory {
    pub(super) fn new(seed: u64, end: Instant) -> Self {
        let mut chance = Chance::new(seed ^ 0x5ca1_ab1e);
        let half = SCALE * SIDE as f64 / 2.0;
        let mut star = |varies: bool| Star {
            position: if varies {
                FIELD
            } else {
                beside(FIELD, chance.between(-half, half), chance.between(-half, half))
            },
            // Faint stars are more than bright ones.
            magnitude: if varies { 15.0 } else { 18.5 - 5.0 * chance.share().powi(2) },
            colour: chance.between(0.1, 1.4),
            varies,
        };
        let stars = (0..STARS).map(|number| star(number == 0)).collect();
        Self { stars, end, chance }
    }

    /// Four frames in red light in each of three nights, and one each in green and in blue light.
    ///
    /// # Errors
    /// None that these frames bring about.
    pub(super) fn frames(&mut self) -> Result<Vec<FrameFile>, FitsError> {
        let mut frames = Vec::new();
        for night in 0..3_u32 {
            let others: &[Band] = if night == 2 { &[GREEN, BLUE] } else { &[] };
            for (number, band) in [RED; 4].iter().chain(others).enumerate() {
                let minutes = 60 * 24 * (3 - night) - 37 * (number as u32 + 1);
                let at = self.end.before(Duration::from_secs(u64::from(minutes) * 60));
                frames.push(self.frame(*band, at, frames.len() + 1)?);
            }
        }
        Ok(frames)
    }

    fn frame(&mut self, band: Band, at: Instant, number: usize) -> Result<FrameFile, FitsError> {
        let header = self.header(band, at, number)?;
        let wcs = Wcs::from_header(&header)?.ok_or_else(|| FitsError::header("CTYPE1", "it is missing"))?;
        let mut pixels: Vec<f32> = (0..SIDE * SIDE).map(|index| self.background(band, index) as f32).collect();
        let mut catalogue = table::Table::default();
        for star in self.stars.clone() {
            let magnitude = star.magnitude + band.colour * star.colour + variation(star, at);
            let Some(pixel) = wcs.pixel(star.position) else { continue };
            let (x, y, flux) = (pixel.x, pixel.y, 10_f64.powf(0.4 * (ZERO_POINT - magnitude)));
            draw(&mut pixels, x, y, flux, &mut self.chance);
            let edge = 5.0..SIDE as f64 - 5.0;
            if edge.contains(&x) && edge.contains(&y) {
                let error = (flux + 60.0 * (SKY + READ_NOISE * READ_NOISE)).sqrt();
                let flux = flux + self.chance.noise(error);
                catalogue.row(&[
                    x,
                    y,
                    x,
                    y,
                    flux,
                    error,
                    flux / (TAU * SEEING * SEEING),
                    0.0,
                    SEEING * 2.3548,
                    0.02,
                    star.position.right_ascension,
                    star.position.declination,
                    ZERO_POINT - 2.5 * flux.log10(),
                    1.0857 * error / flux,
                ]);
            }
        }
        let mut bytes = Vec::new();
        empty_primary(&mut bytes, &Header::default())?;
        let image = Image { shape: vec![SIDE, SIDE], pixels: Pixels::F32(pixels) };
        rice(&mut bytes, &header, &image, Quantisation { level: 16.0, dither: true })?;
        catalogue.write(&mut bytes)?;
        let day = at.to_string().get(..10).unwrap_or_default().replace('-', "");
        Ok(FrameFile { name: format!("demo1m01-sc01-{day}-{number:04}-e91.fits.fz"), bytes })
    }

    /// The sky, a nebula in the middle, and the noise of reading.
    fn background(&mut self, band: Band, index: usize) -> f64 {
        let middle = SIDE as f64 / 2.0;
        let (x, y) = ((index % SIDE) as f64 - middle + 30.0, (index / SIDE) as f64 - middle - 20.0);
        let light = SKY + band.nebula * (-(x * x + 1.7 * y * y) / (2.0 * 55.0 * 55.0)).exp();
        light + self.chance.noise((light + READ_NOISE * READ_NOISE).sqrt())
    }

    fn header(&mut self, band: Band, at: Instant, number: usize) -> Result<Header, FitsError> {
        let text = |text: &str| Value::Text(text.to_owned());
        let date = at.to_string().trim_end_matches('Z').to_owned();
        let mjd = at.as_micros() as f64 / 86_400e6 + 40_587.0;
        // The telescope does not point exactly.
        let (x, y) = (self.chance.between(-5.0, 5.0), self.chance.between(-5.0, 5.0));
        let middle = (SIDE as f64 + 1.0) / 2.0;
        let cards = [
            ("EXTNAME", text("SCI"), "name of the HDU"),
            ("ORIGIN", text("Holotype demonstration"), "nothing of this was observed"),
            ("DATE", text(&date), "[UTC] when the file was written"),
            ("DATE-OBS", text(&date), "[UTC] begin of the exposure"),
            ("DAY-OBS", text(&date.get(..10).unwrap_or_default().replace('-', "")), "night"),
            ("MJD-OBS", Value::Real(mjd), "[d] begin of the exposure"),
            ("L1PUBDAT", text(&date), "[UTC] when it is public"),
            ("PROPID", text(PROPOSAL), "proposal"),
            ("USERID", text("demo"), "who asked for it"),
            ("BLKUID", Value::Integer(1_000 + number as i128), "observation"),
            ("REQNUM", Value::Integer(77), "request"),
            ("SITEID", text("demo"), "site"),
            ("TELID", text("1m01"), "telescope"),
            ("INSTRUME", text("sc01"), "instrument"),
            ("OBSTYPE", text("EXPOSE"), "kind of exposure"),
            ("RLEVEL", Value::Integer(91), "how far it is reduced"),
            ("OBJECT", text(TARGET), "target"),
            ("CAT-RA", text("18:04:12.000"), "[h] target"),
            ("CAT-DEC", text("-24:21:00.00"), "[deg] target"),
            ("FILTER", text(band.name), "filter"),
            ("EXPTIME", Value::Real(EXPOSURE), "[s] exposure"),
            ("GAIN", Value::Real(1.0), "[e-/count]"),
            ("RDNOISE", Value::Real(READ_NOISE), "[e-]"),
            ("SATURATE", Value::Real(60_000.0), "[count]"),
            ("PIXSCALE", Value::Real(SCALE * 3600.0), "[arcsec]"),
            ("CTYPE1", text("RA---TAN"), ""),
            ("CTYPE2", text("DEC--TAN"), ""),
            ("CRVAL1", Value::Real(FIELD.right_ascension), "[deg]"),
            ("CRVAL2", Value::Real(FIELD.declination), "[deg]"),
            ("CRPIX1", Value::Real(middle + x), ""),
            ("CRPIX2", Value::Real(middle + y), ""),
            ("CD1_1", Value::Real(-SCALE), ""),
            ("CD1_2", Value::Real(0.0), ""),
            ("CD2_1", Value::Real(0.0), ""),
            ("CD2_2", Value::Real(SCALE), ""),
            ("RADESYS", text("ICRS"), ""),
        ];
        cards.into_iter().map(|(keyword, value, comment)| Card::new(keyword, value, comment)).collect()
    }
}

/// The position so many degrees east and north, near enough for a small field.
fn beside(from: SkyPosition, east: f64, north: f64) -> SkyPosition {
    SkyPosition {
        right_ascension: from.right_ascension + east / from.declination.to_radians().cos(),
        declination: from.declination + north,
    }
}

/// By how many magnitudes a star is fainter than in the mean.
fn variation(star: Star, at: Instant) -> f64 {
    let days = at.as_micros() as f64 / (DAY.as_micros() as f64);
    if star.varies { AMPLITUDE * (TAU * days / PERIOD).sin() } else { 0.0 }
}

/// Adds a star whose middle is at a position counted from 1, with the noise of its own light.
fn draw(pixels: &mut [f32], x: f64, y: f64, flux: f64, chance: &mut Chance) {
    let reach = 8;
    let (column, row) = (x.round() as i64 - 1, y.round() as i64 - 1);
    for j in row - reach..=row + reach {
        for i in column - reach..=column + reach {
            let (Ok(i), Ok(j)) = (usize::try_from(i), usize::try_from(j)) else { continue };
            let Some(pixel) = pixels.get_mut(j * SIDE + i).filter(|_| i < SIDE) else { continue };
            let (dx, dy) = (i as f64 + 1.0 - x, j as f64 + 1.0 - y);
            let light = flux / (TAU * SEEING * SEEING) * (-(dx * dx + dy * dy) / (2.0 * SEEING * SEEING)).exp();
            *pixel += (light + chance.noise(light.sqrt())) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use holotype_fits::{Hdu, table::Table};

    use super::*;

    fn frames() -> Vec<FrameFile> {
        Observatory::new(1, "2026-11-20T18:00:12.5Z".parse().unwrap()).frames().unwrap()
    }

    #[test]
    fn the_same_seed_and_hour_give_the_same_frames_with_names_of_their_own() {
        let frames = frames();
        assert_eq!(frames[..2], self::frames()[..2]);
        let mut names: Vec<_> = frames.iter().map(|frame| frame.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 14);
    }

    #[test]
    fn a_frame_has_an_image_and_its_stars_where_the_image_has_them() {
        let mut source = Cursor::new(frames().swap_remove(0).bytes);
        let hdus = Hdu::walk(&mut source).unwrap();
        let names: Vec<_> = hdus.iter().map(|hdu| hdu.name.as_str()).collect();
        assert_eq!(names[1..], ["SCI", "CAT"]);
        let image = Image::read(&mut source, &hdus[1]).unwrap();
        let Pixels::F32(pixels) = image.pixels else { panic!("reals") };
        let table = Table::read(&mut source, &hdus[2]).unwrap();
        let column = |name: &str| table.column(name).unwrap().to_reals().unwrap();
        let (x, y, flux, ra) = (column("x"), column("y"), column("flux"), column("ra"));
        assert!(table.rows() > 50);
        assert!((ra[0] - FIELD.right_ascension).abs() < 1e-9, "the first is the target");
        for star in (0..table.rows()).filter(|star| flux[*star] > 20_000.0) {
            let at = (y[star].round() as usize - 1) * SIDE + x[star].round() as usize - 1;
            assert!(f64::from(pixels[at]) > SKY + 1_000.0, "star {star}: {}", pixels[at]);
        }
    }
}
