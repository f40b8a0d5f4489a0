//! Which addresses of the network an archive may send us to.
//!
//! What an administrator configured is asked wherever it is. What came from an answer or a redirect may lie on this machine or
//! its own network only if the configured host lies there itself; else an archive could make us ask the services around us.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address lies, seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The public network.
    Public,
    /// A private network: RFC 1918, carrier-grade NAT, unique local addresses.
    Private,
    /// This machine.
    Loopback,
    /// The cable's other end, where clouds keep their secrets.
    LinkLocal,
    /// Nothing that answers: multicast, broadcast, reserved, unspecified.
    Nowhere,
}

impl Place {
    pub(super) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            [127, ..] => Self::Loopback,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [198, 18..=19, ..] => Self::Private,
            [169, 254, ..] => Self::LinkLocal,
            [0, ..] | [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [224..=255, ..] => Self::Nowhere,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let segments = address.segments();
        let v4 = |high: u16, low: u16| {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            Self::of_v4(Ipv4Addr::new(a, b, c, d))
        };
        match segments {
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            // An address of the old protocol in the clothes of the new: mapped, compatible, NAT64, 6to4.
            [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
            [0x2002, high, low, ..] => v4(high, low),
            // NAT64 of a network's own prefix.
            [0x64, 0xff9b, 1, ..] => Self::Private,
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Self::Private,
            [0x2000..=0x3fff, second, ..] if !(segments[0] == 0x2001 && second == 0x0db8) => Self::Public,
            _ => Self::Nowhere,
        }
    }
}

/// How near the addresses of the configured host are, and so what it may send us to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reach {
    private: bool,
    loopback: bool,
    link_local: bool,
}

impl Reach {
    /// That of a host with these addresses.
    pub(super) fn of(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        let mut reach = Self::default();
        for address in addresses {
            match Place::of(address) {
                Place::Private => reach.private = true,
                Place::Loopback => reach.loopback = true,
                Place::LinkLocal => reach.link_local = true,
                Place::Public | Place::Nowhere => {}
            }
        }
        reach
    }

    /// Whether the host may send us to `address`.
    pub(super) fn covers(self, address: IpAddr) -> bool {
        match Place::of(address) {
            Place::Public => true,
            // A server of this machine may keep its files on the laboratory's network.
            Place::Private => self.private || self.loopback,
            Place::Loopback => self.loopback,
            Place::LinkLocal => self.link_local,
            Place::Nowhere => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        Place::of(text.parse().unwrap())
    }

    #[test]
    fn every_way_to_write_a_near_address_is_known() {
        for near in
            ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"]
        {
            assert_eq!(place(near), Place::Loopback, "{near}");
        }
        for near in
            ["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "100.127.255.255", "fd00::1", "::ffff:10.0.0.1"]
        {
            assert_eq!(place(near), Place::Private, "{near}");
        }
        for near in ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254"] {
            assert_eq!(place(near), Place::LinkLocal, "{near}");
        }
        for none in
            ["0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "240.0.0.1", "ff02::1", "2001:db8::1", "192.0.2.1"]
        {
            assert_eq!(place(none), Place::Nowhere, "{none}");
        }
        for public in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"] {
            assert_eq!(place(public), Place::Public, "{public}");
        }
    }

    #[test]
    fn a_host_sends_no_nearer_than_it_is_itself() {
        let of = |text: &str| Reach::of([text.parse().unwrap()]);
        let covers = |reach: Reach, text: &str| reach.covers(text.parse().unwrap());
        assert!(covers(of("1.1.1.1"), "8.8.8.8"));
        assert!(!covers(of("1.1.1.1"), "10.0.0.1"));
        assert!(covers(of("10.0.0.1"), "192.168.0.1"));
        assert!(!covers(of("10.0.0.1"), "127.0.0.1"));
        assert!(!covers(of("10.0.0.1"), "169.254.169.254"));
        assert!(covers(of("127.0.0.1"), "127.0.0.1") && covers(of("127.0.0.1"), "10.0.0.1"));
        assert!(!covers(of("127.0.0.1"), "224.0.0.1"));
    }
}
