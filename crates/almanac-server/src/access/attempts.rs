//! How often each address gave a wrong password: after some of them its passwords are not looked at for the rest of a minute.
//!
//! Bounded: an attacker with many addresses makes the oldest ones forgotten, not the memory grow.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many failures are let pass in a window.
const MOST: u32 = 10;
/// How long failures are remembered, from the first one on.
const WINDOW: Duration = Duration::from_mins(1);
/// Most addresses that are remembered.
const ADDRESSES: usize = 4_096;

/// Failures by address.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    failed: Mutex<HashMap<IpAddr, Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    since: Instant,
    count: u32,
}

impl Attempts {
    /// Returns how long the address has to wait; `None` if it need not.
    pub(super) fn wait(&self, address: Option<IpAddr>, now: Instant) -> Option<Duration> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let found = failed.get(&network(address))?;
        let age = now.saturating_duration_since(found.since);
        if found.count >= MOST { WINDOW.checked_sub(age).filter(|left| !left.is_zero()) } else { None }
    }

    /// Notes a failure.
    pub(super) fn failed(&self, address: Option<IpAddr>, now: Instant) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network(address);
        if failed.len() >= ADDRESSES && !failed.contains_key(&address) {
            failed.retain(|_, found| now.saturating_duration_since(found.since) < WINDOW);
            if failed.len() >= ADDRESSES
                && let Some(oldest) = failed.iter().min_by_key(|(_, found)| found.since).map(|(address, _)| *address)
            {
                failed.remove(&oldest);
            }
        }
        let found = failed.entry(address).or_insert(Failures { since: now, count: 0 });
        if now.saturating_duration_since(found.since) >= WINDOW {
            *found = Failures { since: now, count: 0 };
        }
        found.count = found.count.saturating_add(1);
    }
}

/// Who has one address of IPv6 has 2^64 of them. Without an address, as in tests, all are one.
fn network(address: Option<IpAddr>) -> IpAddr {
    match address {
        None => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        Some(IpAddr::V4(address)) => IpAddr::V4(address),
        Some(IpAddr::V6(address)) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn an_address_waits_after_ten_failures_and_others_do_not() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..MOST {
            assert_eq!(attempts.wait(Some(v4(1)), now), None);
            attempts.failed(Some(v4(1)), now);
        }
        assert_eq!(attempts.wait(Some(v4(1)), now), Some(WINDOW));
        assert_eq!(attempts.wait(Some(v4(2)), now), None);
        assert_eq!(attempts.wait(Some(v4(1)), now + WINDOW), None);
        attempts.failed(Some(v4(1)), now + WINDOW);
        assert_eq!(attempts.wait(Some(v4(1)), now + WINDOW), None);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for host in 0..MOST {
            attempts.failed(Some(format!("2001:db8::{host:x}").parse().expect("an address")), now);
        }
        assert!(attempts.wait(Some("2001:db8::ffff".parse().expect("an address")), now).is_some());
        assert!(attempts.wait(Some("2001:db8:1::1".parse().expect("an address")), now).is_none());
    }

    #[test]
    fn memory_stays_bounded() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for number in 0..10_000 {
            attempts.failed(Some(v4(number)), now);
        }
        assert_eq!(attempts.failed.lock().expect("no panic").len(), ADDRESSES);
    }
}
