//! Lanes: the 64 independent orders that a log is cut into.

use uuid::Uuid;

/// How many lanes a log has; fixed when the log is made.
pub const LANES: i16 = 64;

/// The lane of a stream: a hash of its id, the same on every machine and for ever.
///
/// FNV-1a over the 16 bytes, mixed once more; UUIDv7 ids are mostly time, so the
/// bytes are mixed and not merely cut off.
#[must_use]
pub fn lane_of(stream: Uuid) -> i16 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in stream.as_bytes() {
        hash ^= u64::from(*byte);
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
    }
    // The last bytes of FNV do not reach its high bits: MurmurHash3's finalizer carries them there.
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^= hash >> 33;
    // 6 bits are 64 lanes.
    i16::try_from(hash >> 58).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_the_same_for_ever() {
        // A change here would tear every log apart that exists.
        let lanes = [0, 1, 0xA0, u128::MAX].map(|id| lane_of(Uuid::from_u128(id)));
        assert_eq!(lanes, [41, 45, 22, 46]);
        let counts = (0..64_000_u128).fold([0_u32; 64], |mut counts, n| {
            counts[usize::try_from(lane_of(Uuid::from_u128(n))).expect("a lane")] += 1;
            counts
        });
        assert!(counts.iter().all(|n| (700..1300).contains(n)), "uneven lanes: {counts:?}");
    }
}
