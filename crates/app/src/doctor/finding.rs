//! What the doctor says.

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Good,
    /// It works, and something should be looked at.
    Warning,
    /// Something does not work, or data is in danger.
    Bad,
}

impl Severity {
    /// The stable name, as `--json` writes it.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Good => "good",
            Severity::Warning => "warning",
            Severity::Bad => "bad",
        }
    }
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at: `home`, `catalog`, `disk` and so on.
    pub check: &'static str,
    /// How serious it is.
    pub severity: Severity,
    /// What was found.
    pub detail: String,
    /// What to do about it, unless it is good.
    pub advice: Option<String>,
}

impl Finding {
    pub(super) fn good(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, severity: Severity::Good, detail: detail.into(), advice: None }
    }

    pub(super) fn warning(check: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, severity: Severity::Warning, detail: detail.into(), advice: Some(advice.into()) }
    }

    pub(super) fn bad(check: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, severity: Severity::Bad, detail: detail.into(), advice: Some(advice.into()) }
    }
}

/// Bytes as people read them.
pub(super) fn bytes(count: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let mut shown = format!("{count} bytes");
    let mut size = count as f64;
    for unit in units {
        size /= 1024.0;
        if size < 1.0 {
            break;
        }
        shown = format!("{size:.1} {unit}");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        for (count, shown) in
            [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (1 << 30, "1.0 GiB"), (1 << 50, "1024.0 TiB")]
        {
            assert_eq!(bytes(count), shown);
        }
    }

    #[test]
    fn bad_is_worse_than_a_warning() {
        assert!(Severity::Bad > Severity::Warning && Severity::Warning > Severity::Good);
    }
}
