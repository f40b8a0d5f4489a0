//! Everything that frames are measured for, against recorded results and against skies made in closed form.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing, and so do its helpers")]

mod detecting;
mod diagrams;
mod golden;
mod hostile;
mod moving;
mod samples;
mod series;
mod sky;
mod stars;
