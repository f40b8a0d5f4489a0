//! Several images to one picture, each in a colour of its own.

use holotype_fits::display::gamma;
use rayon::prelude::*;

use crate::picture::Coloured;
use crate::{ImagingError, Raster};

/// An image with its colour.
#[derive(Debug, Clone, Copy)]
pub struct Channel<'a> {
    /// The image.
    pub raster: &'a Raster,
    /// How much of red, green and blue it gives, 0 to 1.
    pub colour: [f64; 3],
    /// The value that is shown black.
    pub black: f64,
    /// The value that is shown in full colour.
    pub white: f64,
}

/// The most images of a picture.
pub const MAX_CHANNELS: usize = 6;

/// Adds up the colours of images, each between its limits, cropped about their middles to what all have; then rounded (halves to
/// even), shown through the curve of all displays, and with the highest row first.
///
/// # Errors
/// [`ImagingError::TooFew`] without an image, [`ImagingError::Invalid`] for more than [`MAX_CHANNELS`] and for limits that are not in
/// order, and as [`Coloured::new`].
pub fn compose(channels: &[Channel]) -> Result<Coloured, ImagingError> {
    if channels.is_empty() {
        return Err(ImagingError::TooFew { work: "a picture in colours", least: 1, found: 0 });
    }
    if channels.len() > MAX_CHANNELS {
        let problem = format!("there are {}, and at most {MAX_CHANNELS} are accepted", channels.len());
        return Err(ImagingError::Invalid { what: "the images of a picture", problem });
    }
    let shown: Result<Vec<_>, _> = channels.iter().map(Shown::of).collect();
    let shown = shown?;
    let width = channels.iter().map(|channel| channel.raster.width).min().unwrap_or_default();
    let height = channels.iter().map(|channel| channel.raster.height).min().unwrap_or_default();
    let mut levels = vec![0; 3 * width * height];
    levels.par_chunks_exact_mut((3 * width).max(1)).enumerate().with_min_len(16).for_each_init(
        || vec![[0.0_f64; 3]; width],
        |sums, (row, levels)| {
            sums.fill([0.0; 3]);
            // The lowest row of an image is the last of its picture.
            shown.iter().for_each(|channel| channel.add(height - 1 - row, (width, height), sums));
            for (levels, sums) in levels.chunks_exact_mut(3).zip(&*sums) {
                for (level, sum) in levels.iter_mut().zip(sums) {
                    *level = gamma(sum.clamp(0.0, 255.0).round_ties_even() as u8);
                }
            }
        },
    );
    Coloured::new(width, height, levels)
}

/// A channel whose limits are in order.
struct Shown<'a> {
    channel: &'a Channel<'a>,
    black: f64,
    white: f64,
}

impl<'a> Shown<'a> {
    fn of(channel: &'a Channel<'a>) -> Result<Self, ImagingError> {
        let Channel { black, white, colour, .. } = *channel;
        if !(black.is_finite() && white.is_finite() && black <= white && colour.iter().all(|part| part.is_finite())) {
            let problem =
                format!("{black} to {white} in {colour:?}: black must be less than white, and all be numbers");
            return Err(ImagingError::Invalid { what: "the limits of a colour", problem });
        }
        // Limits that are equal are moved apart, so that an image of one value becomes half as bright as it can be.
        let apart = if black < white { 0.0 } else { 1.0 };
        Ok(Self { channel, black: black - apart, white: white + apart })
    }

    /// Adds the colours of a row of the picture that has these sides, counted from the lowest.
    fn add(&self, row: usize, (width, height): (usize, usize), sums: &mut [[f64; 3]]) {
        let Raster { width: columns, height: rows, values } = self.channel.raster;
        let first = (row + (rows - height) / 2) * columns + (columns - width) / 2;
        for (sums, value) in sums.iter_mut().zip(&values[first..first + width]) {
            // Of NaN and a number `max` gives the number.
            let level =
                (f64::from(*value).max(self.black).min(self.white) - self.black) * 255.0 / (self.white - self.black);
            sums.iter_mut().zip(self.channel.colour).for_each(|(sum, part)| *sum += level * part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raster(width: usize, values: &[f32]) -> Raster {
        Raster { width, height: values.len() / width, values: values.to_vec() }
    }

    #[test]
    fn colours_add_up_and_the_highest_row_comes_first() {
        let (first, second) = (raster(1, &[0.0, 255.0]), raster(1, &[255.0, f32::NAN]));
        let channel = |raster, colour| Channel { raster, colour, black: 0.0, white: 255.0 };
        let picture = compose(&[channel(&first, [1.0, 0.5, 0.0]), channel(&second, [0.0, 0.5, 2.0])]).unwrap();
        assert_eq!(picture.levels(), [gamma(255), gamma(128), 0, 0, gamma(128), gamma(255)]);
        assert_eq!((picture.width(), picture.height()), (1, 2));
    }

    #[test]
    fn images_of_different_sizes_are_cropped_about_their_middles() {
        let wide = raster(3, &[1.0, 9.0, 1.0, 1.0, 1.0, 1.0]);
        let small = raster(1, &[9.0]);
        let channel = |raster, colour| Channel { raster, colour, black: 1.0, white: 9.0 };
        let picture = compose(&[channel(&wide, [1.0, 0.0, 0.0]), channel(&small, [0.0, 1.0, 0.0])]).unwrap();
        assert_eq!(picture.levels(), [gamma(255), gamma(255), 0]);
    }

    #[test]
    fn what_makes_no_picture_is_refused() {
        let image = raster(1, &[1.0]);
        let channel = |black, white| Channel { raster: &image, colour: [1.0; 3], black, white };
        assert!(compose(&[]).is_err() && compose(&[channel(0.0, 1.0); 7]).is_err());
        for (black, white) in [(2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
            assert!(matches!(compose(&[channel(black, white)]), Err(ImagingError::Invalid { .. })));
        }
        assert_eq!(compose(&[channel(1.0, 1.0)]).unwrap().levels(), [gamma(128); 3]);
        let nothing = Raster { width: 0, height: 0, values: Vec::new() };
        assert!(compose(&[Channel { raster: &nothing, colour: [1.0; 3], black: 0.0, white: 1.0 }]).is_err());
    }
}
