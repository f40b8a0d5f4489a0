//! The forms that configured values are written in.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Text that is not a value of the wanted form; it says what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongForm(pub(crate) &'static str);

/// Where to listen: a host name or IP address, and a port (0 takes a free one).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// A name or an address, IPv6 without its brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl Listen {
    /// Whether the host is a loopback address or `localhost`. Any other name may point anywhere.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Listen {
    type Err = WrongForm;

    fn from_str(text: &str) -> Result<Self, WrongForm> {
        let wrong = WrongForm("an address and a port are needed, for example 127.0.0.1:8004 or [::1]:8004");
        let (host, port) = text.rsplit_once(':').ok_or(wrong)?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match bracketed {
            Some(address) if address.parse::<std::net::Ipv6Addr>().is_ok() => address,
            None if !host.is_empty() && !host.contains([':', '/', '[', ']', ' ']) => host,
            _ => return Err(wrong),
        };
        Ok(Self { host: host.to_owned(), port: port.parse().map_err(|_| wrong)? })
    }
}

/// How long: a whole number and a unit (`s`, `m`, `h`, `d`, `w`).
pub(crate) fn duration(text: &str) -> Result<Duration, WrongForm> {
    let wrong = WrongForm("a whole number and a unit are needed: 30s, 5m, 12h, 7d or 2w");
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).ok_or(wrong)?);
    let seconds = match unit.trim() {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err(wrong),
    };
    let number: u64 = number.parse().map_err(|_| wrong)?;
    // A century is for ever here, and keeps every later sum inside the range of instants.
    number
        .checked_mul(seconds)
        .filter(|total| *total <= 100 * 366 * 86_400)
        .map(Duration::from_secs)
        .ok_or(WrongForm("at most a century (36600d) is possible"))
}

/// How often: a duration of at least a second, or `never`.
pub(crate) fn period(text: &str) -> Result<Option<Duration>, WrongForm> {
    if text == "never" {
        return Ok(None);
    }
    match duration(text)? {
        Duration::ZERO => Err(WrongForm("at least 1s is needed, or never")),
        every => Ok(Some(every)),
    }
}

/// How many bytes: a whole number, with or without a unit (`KiB`, `MiB`, `GiB`, `TiB`).
pub(crate) fn size(text: &str) -> Result<u64, WrongForm> {
    let wrong = WrongForm("a number of bytes is needed, for example 4096, 16MiB or 2GiB");
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err(wrong),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).ok_or(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_to_listen_on_is_read_and_written_alike() {
        for text in ["127.0.0.1:8004", "[::1]:0", "localhost:8004", "data-manager.lab:80"] {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), text);
        }
        for text in ["", "8004", ":8004", "::1:8004", "[lab]:1", "host:99999", "http://host:80", "host"] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_loopback_counts_as_loopback() {
        for (text, loopback) in [
            ("127.0.0.1:1", true),
            ("127.9.9.9:1", true),
            ("[::1]:1", true),
            ("localhost:1", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("localhost.example:1", false),
        ] {
            assert_eq!(text.parse::<Listen>().unwrap().is_loopback(), loopback, "{text}");
        }
    }

    #[test]
    fn durations_have_units_and_an_end() {
        assert_eq!(duration("90s").unwrap(), Duration::from_secs(90));
        assert_eq!(duration("2w").unwrap(), duration("14d").unwrap());
        for text in ["", "5", "d", "-1d", "1.5h", "1y", "99999999999999999999d", "40000d"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(period("never").unwrap(), None);
        assert_eq!(period("1m").unwrap(), Some(Duration::from_secs(60)));
        assert!(period("0s").is_err());
    }

    #[test]
    fn sizes_are_in_powers_of_two() {
        assert_eq!(size("16MiB").unwrap(), 16 * 1024 * 1024);
        assert_eq!(size("0").unwrap(), 0);
        for text in ["", "MiB", "1MB", "-1", "99999999999TiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
