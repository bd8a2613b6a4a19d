//! Exact decimals as PostgreSQL's `numeric` in binary.

/// Writes `value`, which counts units of the last of `SCALE` decimals, with that scale: number of
/// digits, weight of the first, sign, scale, and the digits to base 10,000 without zeros at the ends.
pub(super) fn copy<const SCALE: u32>(value: i128, out: &mut Vec<u8>) {
    // An i128 has 39 decimal digits, the decimals fill whole digits of their own: 12 hold both.
    const DIGITS: usize = 12;
    let unit = 10_u128.pow(SCALE);
    let (mut whole, decimals) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
    let fraction = SCALE.div_ceil(4);
    let mut decimals = decimals * 10_u128.pow(fraction * 4 - SCALE);
    let point = DIGITS - usize::try_from(fraction).unwrap_or(DIGITS);
    let mut digits = [0_u16; DIGITS];
    let (before, after) = digits.split_at_mut(point);
    for (part, rest) in [(before, &mut whole), (after, &mut decimals)] {
        for digit in part.iter_mut().rev() {
            *digit = u16::try_from(*rest % 10_000).unwrap_or(0);
            *rest /= 10_000;
        }
    }
    let first = digits.iter().position(|digit| *digit != 0).unwrap_or(DIGITS);
    let last = digits.iter().rposition(|digit| *digit != 0).map_or(first, |last| last + 1);
    let short = |number: usize| i16::try_from(number).unwrap_or(i16::MAX);
    let weight = if last == first { 0 } else { short(point) - 1 - short(first) };
    let sign: u16 = if value < 0 { 0x4000 } else { 0 };
    out.extend_from_slice(&short(last - first).to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&(SCALE as u16).to_be_bytes());
    for digit in &digits[first..last] {
        out.extend_from_slice(&digit.to_be_bytes());
    }
}
