//! A sky made in closed form, and frames of it: every star's counts and place are known exactly.

use std::io::Cursor;

use holotype_fits::header::BLOCK;
use holotype_fits::wcs::{SkyPosition, Wcs};
use holotype_fits::write::{self, Position};
use holotype_fits::{Card, Header, Image, Pixels, Value};
use holotype_photometry::Frame;
use holotype_photometry::overlap::Point;

/// A pixel's side, in degrees: half an arcsecond.
pub(crate) const PIXEL: f64 = 0.5 / 3600.0;

/// The width of a star, one standard deviation in pixels. A Gaussian that is sampled so finely adds up to its integral.
pub(crate) const WIDTH: f64 = 1.5;

/// The counts of the empty sky.
pub(crate) const SKY: f64 = 200.0;

pub(crate) fn at(right_ascension: f64, declination: f64) -> SkyPosition {
    SkyPosition { right_ascension, declination }
}

/// A star of the sky.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Star {
    pub(crate) position: SkyPosition,
    pub(crate) magnitude: f64,
}

/// How a frame is taken.
#[derive(Debug, Clone)]
pub(crate) struct Exposure {
    pub(crate) name: String,
    pub(crate) size: (usize, usize),
    pub(crate) centre: SkyPosition,
    pub(crate) date: String,
    pub(crate) filter: &'static str,
    /// A star of this magnitude has one count.
    pub(crate) zero_point: f64,
    /// The standard deviation of the noise of a pixel, in counts.
    pub(crate) noise: f64,
    /// More cards of the science header.
    pub(crate) cards: Vec<(&'static str, Value)>,
}

impl Exposure {
    /// A frame of 256 by 256 pixels.
    pub(crate) fn new(name: impl Into<String>, centre: SkyPosition, date: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            size: (256, 256),
            centre,
            date: date.into(),
            filter: "rp",
            zero_point: 25.0,
            noise: 0.0,
            cards: Vec::new(),
        }
    }

    pub(crate) fn header(&self) -> Header {
        let mut header = Header::default();
        let mut set = |keyword: &str, value: Value| header.set(keyword, value, None).unwrap();
        set("EXTNAME", Value::Text("SCI".to_owned()));
        set("DATE-OBS", Value::Text(self.date.clone()));
        set("CTYPE1", Value::Text("RA---TAN".to_owned()));
        set("CTYPE2", Value::Text("DEC--TAN".to_owned()));
        set("CRVAL1", Value::Real(self.centre.right_ascension));
        set("CRVAL2", Value::Real(self.centre.declination));
        set("CRPIX1", Value::Real((self.size.0 as f64 + 1.0) / 2.0));
        set("CRPIX2", Value::Real((self.size.1 as f64 + 1.0) / 2.0));
        set("CD1_1", Value::Real(-PIXEL));
        set("CD1_2", Value::Real(0.0));
        set("CD2_1", Value::Real(0.0));
        set("CD2_2", Value::Real(PIXEL));
        self.cards.iter().for_each(|(keyword, value)| set(keyword, value.clone()));
        header
    }

    /// Where a position lies, from the outer corner of the image.
    pub(crate) fn point(&self, position: SkyPosition) -> Option<Point> {
        Wcs::from_header(&self.header()).unwrap().unwrap().pixel(position).map(Point::of_pixel)
    }

    pub(crate) fn counts(&self, magnitude: f64) -> f64 {
        10_f64.powf(0.4 * (self.zero_point - magnitude))
    }

    /// The pixels of these stars.
    pub(crate) fn pixels(&self, stars: &[Star]) -> Vec<f32> {
        let (width, height) = self.size;
        let mut noise = Noise(self.name.bytes().fold(7, |seed, byte| seed * 31 + u64::from(byte)));
        let mut pixels: Vec<f64> = (0..width * height).map(|_| SKY + self.noise * noise.next()).collect();
        for star in stars {
            let Some(place) = self.point(star.position) else { continue };
            let peak = self.counts(star.magnitude) / (std::f64::consts::TAU * WIDTH * WIDTH);
            let reach = |place: f64, length: usize| {
                ((place - 12.0).max(0.0) as usize).min(length)..((place + 12.0).max(0.0) as usize).min(length)
            };
            for row in reach(place.y, height) {
                for column in reach(place.x, width) {
                    let square = (column as f64 + 0.5 - place.x).powi(2) + (row as f64 + 0.5 - place.y).powi(2);
                    pixels[row * width + column] += peak * (-square / (2.0 * WIDTH * WIDTH)).exp();
                }
            }
        }
        pixels.into_iter().map(|value| value as f32).collect()
    }

    /// The table of these stars, as far as the frame shows them.
    pub(crate) fn table(&self, stars: &[Star]) -> Columns {
        let (width, height) = (self.size.0 as f64, self.size.1 as f64);
        let shown = |star: &&Star| {
            self.point(star.position).is_some_and(|it| it.x > 0.0 && it.y > 0.0 && it.x < width && it.y < height)
        };
        let stars: Vec<&Star> = stars.iter().filter(shown).collect();
        let column = |value: &dyn Fn(&Star) -> f64| stars.iter().map(|star| value(star)).collect::<Vec<f64>>();
        vec![
            ("x", column(&|star| self.point(star.position).unwrap().to_pixel().x)),
            ("y", column(&|star| self.point(star.position).unwrap().to_pixel().y)),
            ("RA", column(&|star| star.position.right_ascension)),
            ("Dec", column(&|star| star.position.declination)),
            ("flux", column(&|star| self.counts(star.magnitude))),
            ("mag", column(&|star| star.magnitude)),
            ("magerr", column(&|_| 0.01)),
            ("flag", column(&|_| 0.0)),
        ]
    }

    /// A frame that shows these stars, with their table.
    pub(crate) fn take(&self, stars: &[Star]) -> Frame {
        self.frame(self.pixels(stars), Some(&self.table(stars)))
    }

    /// A frame of these pixels, with a table or without.
    pub(crate) fn frame(&self, pixels: Vec<f32>, table: Option<&Columns>) -> Frame {
        let mut bytes = Vec::new();
        write::empty_primary(&mut bytes, &Header::default()).unwrap();
        let image = Image { shape: vec![self.size.1, self.size.0], pixels: Pixels::F32(pixels) };
        write::image(&mut bytes, Position::Extension, &self.header(), &image).unwrap();
        if let Some(table) = table {
            bytes.extend(binary_table("Cat", table));
        }
        frame(&self.name, bytes)
            .with_filter(Some(self.filter.to_owned()))
            .with_observation_date(Some(self.date.clone()))
    }
}

/// Names and values of columns, all of one length.
pub(crate) type Columns = Vec<(&'static str, Vec<f64>)>;

/// A frame of bytes that are held.
pub(crate) fn frame(name: &str, bytes: Vec<u8>) -> Frame {
    Frame::new(name, move || Ok(Box::new(Cursor::new(bytes.clone()))))
}

/// A binary table as an HDU.
pub(crate) fn binary_table(name: &str, columns: &Columns) -> Vec<u8> {
    let rows = columns.first().map_or(0, |(_, values)| values.len());
    let whole = |value: usize| Value::Integer(value as i128);
    let mut cards = vec![
        ("XTENSION".to_owned(), Value::Text("BINTABLE".to_owned())),
        ("BITPIX".to_owned(), whole(8)),
        ("NAXIS".to_owned(), whole(2)),
        ("NAXIS1".to_owned(), whole(8 * columns.len())),
        ("NAXIS2".to_owned(), whole(rows)),
        ("PCOUNT".to_owned(), whole(0)),
        ("GCOUNT".to_owned(), whole(1)),
        ("TFIELDS".to_owned(), whole(columns.len())),
        ("EXTNAME".to_owned(), Value::Text(name.to_owned())),
    ];
    for (index, (name, _)) in columns.iter().enumerate() {
        cards.push((format!("TTYPE{}", index + 1), Value::Text((*name).to_owned())));
        cards.push((format!("TFORM{}", index + 1), Value::Text("D".to_owned())));
    }
    let header: Header = cards.into_iter().map(|(keyword, value)| Card::new(&keyword, value, "").unwrap()).collect();
    let mut bytes = header.to_bytes();
    for row in 0..rows {
        columns.iter().for_each(|(_, values)| bytes.extend(values[row].to_be_bytes()));
    }
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

/// Stars on a grid, shifted a little each, so that none is in another's ring. Magnitudes go from 14 to 16.
pub(crate) fn grid(centre: SkyPosition, columns: i32, rows: i32, spacing_arcseconds: f64) -> Vec<Star> {
    let mut stars = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let wobble = |seed: i32| f64::from((column * 31 + row * 17 + seed) * 7919 % 97) / 97.0 - 0.5;
            let offset = |place: i32, count: i32, seed: i32| {
                (f64::from(place) - f64::from(count - 1) / 2.0 + 0.1 * wobble(seed)) * spacing_arcseconds / 3600.0
            };
            let declination = centre.declination + offset(row, rows, 1);
            let right_ascension =
                centre.right_ascension + offset(column, columns, 2) / centre.declination.to_radians().cos();
            stars.push(Star { position: at(right_ascension, declination), magnitude: 15.0 + 2.0 * wobble(3) });
        }
    }
    stars
}

/// Noise that is the same each time (xorshift, Marsaglia 2003; the sum of twelve uniform numbers is nearly normal).
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn next(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}
