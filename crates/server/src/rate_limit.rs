//! The contract's rate limits: requests per client address in two sliding windows, on datapoint routes only.
//!
//! The time of each counted request is kept, so the windows slide exactly. Memory is bounded twice: an address holds at
//! most as many times as the longer window allows, and at most [`ADDRESSES`] addresses are held, the one unheard for
//! longest giving way. IPv6 addresses count by their /64, because one host is usually given a whole one.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use holotype_app::madsci::{RateLimit, RateLimits};
use holotype_core::{Category, Instant};

use crate::peer::Remote;
use crate::problem::Failure;
use crate::state::ServerState;

/// Most addresses that are held at a time.
const ADDRESSES: usize = 10_000;

/// Whether a request passes, and what its sender is told of the limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Why the request is refused, or `None` when it passes.
    pub(crate) refused: Option<String>,
    /// The contract's headers.
    pub(crate) headers: HeaderMap,
}

/// Refuses requests over the limits, and tells of the limits in the headers of the others.
pub(crate) async fn limit(State(state): State<ServerState>, request: Request, next: Next) -> Result<Response, Failure> {
    let remote = Remote::from_extensions(request.extensions());
    if remote.is_owner() {
        return Ok(next.run(request).await);
    }
    // Strangers of whom nothing is known share a limit.
    let address = remote.address().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    match state.limiter().count(address, state.now()) {
        None => Ok(next.run(request).await),
        Some(Verdict { refused: None, headers }) => {
            let mut response = next.run(request).await;
            response.headers_mut().extend(headers);
            Ok(response)
        }
        Some(Verdict { refused: Some(detail), headers }) => {
            Err(Failure::with_status(StatusCode::TOO_MANY_REQUESTS, Category::Busy, detail).with_headers(headers))
        }
    }
}

/// Counts requests by address.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    limits: Option<RateLimits>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    by_address: HashMap<IpAddr, VecDeque<i64>>,
    cleaned_at: i64,
}

impl RateLimiter {
    /// A limiter of nothing, or of this.
    pub(crate) fn new(limits: Option<RateLimits>) -> Self {
        Self { limits, seen: Mutex::default() }
    }

    /// Counts a request of `address` at `now`, unless it is refused; `None` when the address is not limited.
    pub(crate) fn count(&self, address: IpAddr, now: Instant) -> Option<Verdict> {
        let address = address.to_canonical();
        let limits = self.limits.as_ref().filter(|limits| !limits.exempt.contains(&address))?;
        let now = now.as_micros();
        // Nothing is left half-changed by a panic in here, so a poisoned lock still holds good counts.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.clean(limits, now);
        let times = seen.times_of(bucket(address));
        while times.front().is_some_and(|time| *time <= now - micros(limits.long.window)) {
            times.pop_front();
        }
        let refused = refusal(limits, times, now);
        if refused.is_none() {
            times.push_back(now);
        }
        Some(verdict(limits, refused, times, now))
    }

    /// Takes back the latest request of `address` that was counted.
    pub(crate) fn forgive(&self, address: IpAddr) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = seen.by_address.get_mut(&bucket(address.to_canonical())) {
            times.pop_back();
        }
    }
}

/// Wrong passwords from one address: so many in five minutes, then none is looked at until the first of them is past.
pub(crate) const WRONG_PASSWORDS: RateLimits = RateLimits {
    long: RateLimit { requests: 20, window: Duration::from_secs(300) },
    short: None,
    cleanup_interval: Duration::from_secs(300),
    exempt: Vec::new(),
};

fn refusal(limits: &RateLimits, times: &VecDeque<i64>, now: i64) -> Option<Refusal> {
    let burst = limits.short.filter(|short| within(times, *short, now) >= u64::from(short.requests));
    let long = Some(limits.long).filter(|long| times.len() as u64 >= u64::from(long.requests));
    burst.map(|limit| Refusal { limit, burst: true }).or(long.map(|limit| Refusal { limit, burst: false }))
}

/// Requests counted in the window that ends now.
fn within(times: &VecDeque<i64>, limit: RateLimit, now: i64) -> u64 {
    let since = now - micros(limit.window);
    times.iter().rev().take_while(|time| **time > since).count() as u64
}

fn verdict(limits: &RateLimits, refused: Option<Refusal>, times: &VecDeque<i64>, now: i64) -> Verdict {
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: u64| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    };
    let remaining = |limit: RateLimit, used: u64| u64::from(limit.requests).saturating_sub(used);
    let oldest = times.front().copied().unwrap_or(now);
    put("x-ratelimit-limit", limits.long.requests.into());
    put("x-ratelimit-remaining", remaining(limits.long, times.len() as u64));
    put("x-ratelimit-reset", seconds(oldest + micros(limits.long.window)));
    if let Some(short) = limits.short {
        put("x-ratelimit-burst-limit", short.requests.into());
        put("x-ratelimit-burst-remaining", remaining(short, within(times, short, now)));
    }
    if let Some(refusal) = &refused {
        put("retry-after", refusal.limit.window.as_secs().max(1));
    }
    Verdict { refused: refused.map(|refusal| refusal.message()), headers }
}

struct Refusal {
    limit: RateLimit,
    burst: bool,
}

impl Refusal {
    fn message(&self) -> String {
        let RateLimit { requests, window } = self.limit;
        let suffix = if self.burst { " (burst limit)" } else { "" };
        format!("Rate limit exceeded: {requests} requests per {} seconds{suffix}", window.as_secs())
    }
}

impl Seen {
    fn times_of(&mut self, bucket: IpAddr) -> &mut VecDeque<i64> {
        if self.by_address.len() >= ADDRESSES && !self.by_address.contains_key(&bucket) {
            let quietest = self.by_address.iter().min_by_key(|(_, times)| times.back().copied());
            if let Some(quietest) = quietest.map(|(address, _)| *address) {
                self.by_address.remove(&quietest);
            }
        }
        self.by_address.entry(bucket).or_default()
    }

    fn clean(&mut self, limits: &RateLimits, now: i64) {
        if now - self.cleaned_at >= micros(limits.cleanup_interval) {
            self.cleaned_at = now;
            let since = now - micros(limits.long.window);
            self.by_address.retain(|_, times| times.back().is_some_and(|time| *time > since));
        }
    }
}

fn bucket(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

fn seconds(micros: i64) -> u64 {
    u64::try_from(micros / 1_000_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    fn at(seconds: f64) -> Instant {
        Instant::from_micros(1_700_000_000_000_000 + (seconds * 1e6) as i64)
    }

    fn limits(requests: u32, burst: Option<u32>) -> RateLimits {
        RateLimits {
            long: RateLimit { requests, window: Duration::from_secs(60) },
            short: burst.map(|requests| RateLimit { requests, window: Duration::from_secs(1) }),
            cleanup_interval: Duration::from_secs(300),
            exempt: vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
        }
    }

    fn limiter(requests: u32, burst: Option<u32>) -> RateLimiter {
        RateLimiter::new(Some(limits(requests, burst)))
    }

    fn header<'v>(verdict: &'v Verdict, name: &str) -> &'v str {
        verdict.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn the_request_over_the_limit_is_refused_until_the_first_leaves_the_window() {
        let limiter = limiter(3, None);
        for time in [0.0, 10.0, 20.0] {
            assert_eq!(limiter.count(CLIENT, at(time)).unwrap().refused, None);
        }
        let refused = limiter.count(CLIENT, at(59.9)).unwrap();
        assert_eq!(refused.refused.as_deref(), Some("Rate limit exceeded: 3 requests per 60 seconds"));
        assert_eq!(header(&refused, "retry-after"), "60");
        assert_eq!(header(&refused, "x-ratelimit-remaining"), "0");
        assert_eq!(header(&refused, "x-ratelimit-reset"), "1700000060");
        let passed = limiter.count(CLIENT, at(60.0)).unwrap();
        assert_eq!(passed.refused, None, "a refused request does not count");
        assert_eq!(header(&passed, "x-ratelimit-reset"), "1700000070");
    }

    #[test]
    fn a_burst_is_refused_by_its_own_window() {
        let limiter = limiter(300, Some(2));
        let first = limiter.count(CLIENT, at(0.0)).unwrap();
        assert_eq!(header(&first, "x-ratelimit-burst-remaining"), "1");
        limiter.count(CLIENT, at(0.1));
        let refused = limiter.count(CLIENT, at(0.9)).unwrap();
        assert_eq!(refused.refused.as_deref(), Some("Rate limit exceeded: 2 requests per 1 seconds (burst limit)"));
        assert_eq!(header(&refused, "x-ratelimit-burst-limit"), "2");
        assert_eq!(header(&refused, "x-ratelimit-limit"), "300");
        assert_eq!(limiter.count(CLIENT, at(1.0)).unwrap().refused, None);
    }

    #[test]
    fn only_listed_addresses_are_exempt_and_an_empty_list_exempts_nobody() {
        let loopback = "127.0.0.1".parse().unwrap();
        let mapped = "::ffff:127.0.0.1".parse().unwrap();
        assert_eq!(limiter(1, None).count(loopback, at(0.0)), None);
        assert_eq!(limiter(1, None).count(mapped, at(0.0)), None);
        let strict = RateLimiter::new(Some(RateLimits { exempt: Vec::new(), ..limits(1, None) }));
        assert!(strict.count(loopback, at(0.0)).is_some());
        assert_eq!(RateLimiter::new(None).count(CLIENT, at(0.0)), None);
    }

    #[test]
    fn neighbours_in_one_ipv6_network_share_a_limit_and_others_do_not() {
        let limiter = limiter(1, None);
        let refused = |text: &str| limiter.count(text.parse().unwrap(), at(0.0)).unwrap().refused.is_some();
        assert!(!refused("2001:db8::1"));
        assert!(refused("2001:db8::2"));
        assert!(!refused("2001:db8:0:1::1"));
        assert!(!refused("192.0.2.7"));
    }

    #[test]
    fn what_is_forgiven_does_not_count() {
        let limiter = limiter(1, None);
        limiter.count(CLIENT, at(0.0));
        limiter.forgive(CLIENT);
        assert_eq!(limiter.count(CLIENT, at(1.0)).unwrap().refused, None);
        assert!(limiter.count(CLIENT, at(2.0)).unwrap().refused.is_some());
        limiter.forgive("192.0.2.99".parse().unwrap());
    }

    #[test]
    fn addresses_are_held_in_bounded_number_and_forgotten_when_silent() {
        let limiter = limiter(5, None);
        for number in 0..(ADDRESSES as u32 + 50) {
            limiter.count(IpAddr::V4((0x0a00_0000 + number).into()), at(0.0));
        }
        assert_eq!(limiter.seen.lock().unwrap().by_address.len(), ADDRESSES);
        limiter.count(CLIENT, at(1000.0));
        assert_eq!(limiter.seen.lock().unwrap().by_address.len(), 1);
    }
}
