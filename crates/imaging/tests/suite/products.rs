//! Pictures beside those of an earlier program.

use holotype_imaging::picture::{Coloured, grey, previews};

use crate::frames::{folder, image};

#[test]
fn a_tiff_is_the_recorded_one_when_it_is_decoded() {
    let Some(folder) = folder("sessions/upstream") else { return };
    let picture = grey(&image(&folder.join("fits_1.fits.fz")), None).unwrap();
    let ours = Coloured::of_grey(&picture).unwrap().tiff();
    let theirs = std::fs::read(folder.join("file_utils/tif_1.tif")).unwrap();
    assert_eq!(strip(&ours), strip(&theirs));
}

/// The sides and the pixels of a TIFF that has one strip, or strips one behind the other, least significant byte first.
fn strip(tiff: &[u8]) -> (u32, u32, Vec<u8>) {
    let two = |at: usize| u32::from(u16::from_le_bytes(tiff[at..at + 2].try_into().unwrap()));
    let four = |at: usize| u32::from_le_bytes(tiff[at..at + 4].try_into().unwrap());
    assert_eq!(&tiff[..4], b"II\x2A\0");
    let directory = four(4) as usize;
    let entry = |tag: u32| {
        let at =
            (0..two(directory) as usize).map(|index| directory + 2 + 12 * index).find(|at| two(*at) == tag).unwrap();
        let value = if two(at + 2) == 3 && four(at + 4) == 1 { two(at + 8) } else { four(at + 8) };
        (four(at + 4), value)
    };
    let (width, height, photometric, compression) = (entry(256).1, entry(257).1, entry(262).1, entry(259).1);
    assert_eq!((photometric, compression, entry(277).1), (2, 1, 3));
    let (strips, place) = entry(273);
    let start = if strips == 1 { place } else { four(place as usize) } as usize;
    (width, height, tiff[start..start + (3 * width * height) as usize].to_vec())
}

#[test]
fn a_tiff_and_a_png_have_the_pixels_and_their_sides() {
    let levels: Vec<u8> = (0..3 * 7 * 5).map(|level| level as u8).collect();
    let picture = Coloured::new(7, 5, levels.clone()).unwrap();
    assert_eq!(strip(&picture.tiff()), (7, 5, levels.clone()));
    let bytes = picture.png().unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut decoded = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut decoded).unwrap();
    assert_eq!((frame.width, frame.height, frame.color_type), (7, 5, png::ColorType::Rgb));
    assert_eq!(decoded, levels);
    assert!(Coloured::new(7, 4, levels).is_err() && Coloured::new(0, 0, Vec::new()).is_err());
}

#[test]
fn previews_are_the_whole_picture_and_a_small_one() {
    let values: Vec<f32> = (0..600 * 300).map(|index| (index % 600) as f32).collect();
    let picture = grey(&holotype_imaging::Raster { width: 600, height: 300, values }, None).unwrap();
    let previews = previews(&picture).unwrap();
    let sides = |jpeg: &[u8]| {
        let decoded = image::load_from_memory_with_format(jpeg, image::ImageFormat::Jpeg).unwrap();
        (decoded.width(), decoded.height())
    };
    assert_eq!((sides(&previews.large), sides(&previews.small)), ((600, 300), (200, 100)));
}
