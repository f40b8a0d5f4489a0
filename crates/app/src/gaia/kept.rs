//! Answers that are kept, each in a file: a line of JSON with the question and when it was asked, then the answer as it came.
//!
//! The folder may be emptied at any time: what is not there is asked for again. So nothing that is wrong with it stops anybody.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use holotype_core::{Clock, Digest, Instant};
use holotype_photometry::hr_diagram::{GaiaSource, read_csv};
use serde::{Deserialize, Serialize};

use crate::{files, home};

/// The most bytes that are kept in all. What was asked longest ago goes first.
const ROOM: u64 = 1 << 30;

/// The longest first line.
const LONGEST_LINE: u64 = 16 << 10;

/// What was asked, and of whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Question {
    pub(super) service: String,
    pub(super) query: String,
}

/// The first line of a file.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    asked: Instant,
    #[serde(flatten)]
    question: Question,
}

/// The folder of the answers.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    folder: PathBuf,
    kept_for: Duration,
    clock: Arc<dyn Clock>,
}

impl Answers {
    pub(super) fn new(folder: PathBuf, kept_for: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { folder, kept_for, clock }
    }

    /// What was answered to this question not too long ago.
    pub(super) fn find(&self, question: &Question) -> Option<Vec<GaiaSource>> {
        let path = self.path(question);
        let (head, table) = match open(&path) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a kept answer cannot be read; it is asked for again");
                return None;
            }
        };
        if !self.is_fresh(head.asked) || head.question != *question {
            return None;
        }
        match read_csv("a kept answer", table) {
            Ok(read) => Some(read.sources),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a kept answer is damaged; it is asked for again");
                None
            }
        }
    }

    /// Keeps an answer, whole or not at all, and makes room for it.
    pub(super) fn keep(&self, question: &Question, table: &[u8]) {
        let path = self.path(question);
        let head = Head { asked: self.clock.now(), question: question.clone() };
        let written = serde_json::to_string(&head).map_err(io::Error::from).and_then(|head| {
            home::private_directory(&self.folder)?;
            self.make_room(u64::try_from(table.len()).unwrap_or(u64::MAX))?;
            files::write(&path, &[head.as_bytes(), b"\n", table])
        });
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "an answer is not kept; it will be asked for again");
        }
    }

    fn path(&self, question: &Question) -> PathBuf {
        let key = Digest::of(format!("{}\n{}", question.service, question.query).as_bytes());
        self.folder.join(format!("{key}.csv"))
    }

    fn is_fresh(&self, asked: Instant) -> bool {
        let now = self.clock.now();
        asked <= now && now < asked.after(self.kept_for)
    }

    /// Removes what is too old or was never finished, and then the oldest until `coming` bytes fit.
    fn make_room(&self, coming: u64) -> io::Result<()> {
        let mut fresh = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let path = entry.path();
            match open(&path) {
                Ok((head, _))
                    if self.is_fresh(head.asked) && path.extension().is_some_and(|ending| ending == "csv") =>
                {
                    fresh.push((head.asked, entry.metadata()?.len(), path));
                }
                _ => fs::remove_file(&path)?,
            }
        }
        fresh.sort_by_key(|(asked, ..)| std::cmp::Reverse(*asked));
        let mut taken = coming;
        for (_, size, path) in fresh {
            taken = taken.saturating_add(size);
            if taken > ROOM {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// The first line of a file, and what follows it.
fn open(path: &Path) -> io::Result<(Head, BufReader<File>)> {
    let mut file = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    Ok((serde_json::from_slice(&line)?, file))
}

#[cfg(test)]
mod tests {
    use holotype_testkit::clock::HandClock;

    use super::*;

    const TABLE: &[u8] = b"ra,dec\n10,1\n";

    fn question(query: &str) -> Question {
        Question { service: "https://gaia.example/tap/sync".to_owned(), query: query.to_owned() }
    }

    fn answers(folder: &Path, clock: &Arc<HandClock>) -> Answers {
        Answers::new(folder.join("cache/sky"), Duration::from_secs(100), Arc::<HandClock>::clone(clock))
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder.join("cache/sky")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn an_answer_is_found_by_its_question_until_it_is_too_old() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(HandClock::default()));
        let answers = answers(folder.path(), &clock);
        assert!(answers.find(&question("a")).is_none());
        answers.keep(&question("a"), TABLE);
        assert_eq!(answers.find(&question("a")).unwrap()[0].ra, 10.0);
        assert!(answers.find(&question("b")).is_none());
        let elsewhere = Question { service: "https://other.example/tap/sync".to_owned(), ..question("a") };
        assert!(answers.find(&elsewhere).is_none());
        clock.advance(Duration::from_secs(99));
        assert!(answers.find(&question("a")).is_some());
        clock.advance(Duration::from_secs(1));
        assert!(answers.find(&question("a")).is_none());
        answers.keep(&question("b"), TABLE);
        assert_eq!(files(folder.path()).len(), 1, "what is too old goes when another comes");
        clock.set(Instant::from_micros(0));
        assert!(answers.find(&question("b")).is_none(), "nothing counts that comes from the future");
    }

    #[test]
    fn what_is_damaged_or_was_never_finished_is_not_used_and_goes() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(HandClock::default()));
        let answers = answers(folder.path(), &clock);
        answers.keep(&question("a"), TABLE);
        let path = files(folder.path()).remove(0);
        let whole = fs::read(&path).unwrap();
        for damaged in [&whole[..20], b"", b"no line", &[&whole[..whole.len() - TABLE.len()], b"x,y\n"].concat()] {
            fs::write(&path, damaged).unwrap();
            assert!(answers.find(&question("a")).is_none(), "{}", String::from_utf8_lossy(damaged));
        }
        fs::write(path.with_extension("csv.1.new"), &whole).unwrap();
        answers.keep(&question("a"), TABLE);
        assert_eq!(files(folder.path()), [path]);
        assert!(answers.find(&question("a")).is_some());
    }

    #[test]
    fn the_oldest_make_room_for_what_comes() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(HandClock::default()));
        let answers = answers(folder.path(), &clock);
        for name in ["a", "b", "c"] {
            answers.keep(&question(name), TABLE);
            clock.advance(Duration::from_secs(1));
        }
        let one = fs::metadata(answers.path(&question("c"))).unwrap().len();
        answers.make_room(ROOM - one).unwrap();
        let left: Vec<_> = ["a", "b", "c"].map(|name| answers.find(&question(name)).is_some()).into();
        assert_eq!(left, [false, false, true]);
    }

    #[test]
    fn a_folder_that_cannot_be_written_stops_nobody() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(HandClock::default()));
        fs::write(folder.path().join("cache"), "").unwrap();
        let answers = answers(folder.path(), &clock);
        answers.keep(&question("a"), TABLE);
        assert!(answers.find(&question("a")).is_none());
    }
}
