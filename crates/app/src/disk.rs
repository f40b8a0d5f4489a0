//! What a disk gives: free space, and how long a flush takes.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// How often a flush is measured.
const SAMPLES: usize = 15;

/// Free and total bytes of the disk that a path lies on, as far as this user may use them.
pub(crate) fn space(path: &Path) -> io::Result<(u64, u64)> {
    let disk = rustix::fs::statvfs(path)?;
    Ok((disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_blocks.saturating_mul(disk.f_frsize)))
}

/// How long it takes to make 4 KiB durable in this directory: the median and the longest of some samples.
pub(crate) fn flush_latency(directory: &Path) -> io::Result<(Duration, Duration)> {
    let path = directory.join(format!("doctor-{}", std::process::id()));
    let measured = measure(&path);
    // What was measured matters more than that the sample file stays.
    let removed = fs::remove_file(&path);
    let mut samples = measured?;
    removed?;
    samples.sort();
    let median = samples.get(SAMPLES / 2).copied().unwrap_or_default();
    Ok((median, samples.last().copied().unwrap_or_default()))
}

fn measure(path: &Path) -> io::Result<Vec<Duration>> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let sample = |_| {
        file.write_all(&[0x5a; 4096])?;
        let begin = Instant::now();
        file.sync_data()?;
        Ok(begin.elapsed())
    };
    (0..SAMPLES).map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_no_more_free_space_than_space() {
        let folder = tempfile::tempdir().unwrap();
        let (free, total) = space(folder.path()).unwrap();
        assert!(free <= total && total > 0);
        assert!(space(&folder.path().join("absent")).is_err());
    }

    #[test]
    fn measuring_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let (median, longest) = flush_latency(folder.path()).unwrap();
        assert!(median <= longest && longest > Duration::ZERO);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(flush_latency(&folder.path().join("absent")).is_err());
    }
}
