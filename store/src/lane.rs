//! Lanes: the 64 independent orders that a log is cut into.

use uuid::Uuid;

/// How many lanes a log has; fixed when the log is made.
pub const LANES: i16 = 64;

/// The lane of a stream: a hash of its id, the same on every machine and for ever.
///
/// FNV-1a over the 16 bytes, folded; UUIDv7 ids are mostly time, so the bytes
/// are mixed and not merely cut off.
#[must_use]
pub fn lane_of(stream: Uuid) -> i16 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in stream.as_bytes() {
        hash ^= u64::from(*byte);
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
    }
    // The high bits of FNV are the well-mixed ones; 6 bits are 64 lanes.
    i16::try_from(hash >> 58).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_the_same_for_ever() {
        assert_eq!(lane_of(Uuid::nil()), lane_of(Uuid::nil()));
        let counts = (0..64_000_u128).fold([0_u32; 64], |mut counts, n| {
            counts[usize::try_from(lane_of(Uuid::from_u128(n))).expect("a lane")] += 1;
            counts
        });
        assert!(counts.iter().all(|n| (700..1300).contains(n)), "uneven lanes: {counts:?}");
    }
}
