//! Exact decimals with six places.

use rust_decimal::Decimal;
use sqlx::error::BoxDynError;

use super::{Column, decimal};

/// A measured value: millionths, in `numeric(20,6)` columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millionths(pub i128);

impl Column for Millionths {
    /// With its scale, by which rows are written as they are here.
    const ARRAY: &'static str = "numeric(20,6)";
    type Bound<'a> = Decimal;
    type Read = Decimal;

    fn bound(&self) -> Decimal {
        // numeric(20,6) has 20 digits, far from the 28 that a Decimal holds.
        Decimal::from_i128_with_scale(self.0, 6)
    }

    fn read(mut value: Decimal) -> Result<Self, BoxDynError> {
        value.rescale(6);
        Ok(Self(value.mantissa()))
    }

    fn copy(&self, out: &mut Vec<u8>) -> bool {
        decimal::copy::<6>(self.0, out);
        true
    }

    fn json(&self, out: &mut String) {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let (units, decimals) = (magnitude / 1_000_000, magnitude % 1_000_000);
        out.push_str(&format!("\"{sign}{units}.{decimals:06}\""));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(millionths: i128) -> Vec<u16> {
        let mut out = Vec::new();
        assert!(Millionths(millionths).copy(&mut out));
        out.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    /// Count, weight, sign, scale, digits: as PostgreSQL's `numeric_send` gives them.
    #[test]
    fn the_bytes_are_postgresqls_own() {
        assert_eq!(copied(0), [0, 0, 0, 6]);
        assert_eq!(copied(132_000), [1, 0xffff, 0, 6, 1_320]);
        assert_eq!(copied(-1), [1, 0xfffe, 0x4000, 6, 100]);
        assert_eq!(copied(547_457_000_000_000), [3, 2, 0, 6, 5, 4_745, 7_000]);
        assert_eq!(
            copied(12_345_678_901_234_567_890),
            [6, 3, 0, 6, 12, 3_456, 7_890, 1_234, 5_678, 9_000]
        );
    }

    #[test]
    fn what_is_shown_has_six_decimals() {
        let shown = |millionths| {
            let mut out = String::new();
            Millionths(millionths).json(&mut out);
            out
        };
        assert_eq!(shown(132_000), "\"0.132000\"");
        assert_eq!(shown(-1), "\"-0.000001\"");
        assert_eq!(shown(99_999_999_999_999_999_999), "\"99999999999999.999999\"");
    }
}
