//! Decoded pixels.

/// An image of 32-bit reals, row by row, the lowest row first as FITS has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Raster {
    /// Pixels in a row (`NAXIS1`).
    pub width: usize,
    /// The number of rows (`NAXIS2`).
    pub height: usize,
    /// The pixels, `width` times `height` of them.
    pub values: Vec<f32>,
}

impl Raster {
    /// The rows, the lowest first.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.width.max(1))
    }

    /// The first `width` columns of the first `height` rows.
    #[must_use]
    pub fn cropped(self, width: usize, height: usize) -> Self {
        if (width, height) == (self.width, self.height) {
            return self;
        }
        let (width, height) = (width.min(self.width), height.min(self.height));
        let values = self.rows().take(height).flat_map(|row| &row[..width]).copied().collect();
        Self { width, height, values }
    }
}
