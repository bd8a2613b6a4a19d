//! SHA-256 that can be put aside and gone on with.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest as _, Sha256};

/// A digest under way: what `sha256sum` says of a file with the bytes that it took in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Digest(Sha256);

impl Digest {
    /// Takes in bytes.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Of the first bytes of a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn of_first(bytes: u64, path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?.take(bytes);
        let (mut digest, mut part) = (Self::default(), vec![0; 1 << 20]);
        loop {
            match file.read(&mut part)? {
                0 => return Ok(digest),
                read => digest.take(&part[..read]),
            }
        }
    }

    /// The digest of what was taken in, in hexadecimal.
    #[must_use]
    pub(crate) fn hex(&self) -> String {
        hex(&self.0.clone().finalize())
    }

    /// Everything that is needed to go on.
    #[must_use]
    pub(crate) fn put_aside(&self) -> String {
        hex(&self.0.serialize())
    }

    /// Goes on from what was put aside; `None`: it is not that.
    #[must_use]
    pub(crate) fn taken_up(text: &str) -> Option<Self> {
        let pairs: Vec<&[u8]> = text.as_bytes().chunks(2).collect();
        let bytes: Option<Vec<u8>> = pairs
            .iter()
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        let state = SerializedState::<Sha256>::try_from(bytes?.as_slice()).ok()?;
        Sha256::deserialize(&state).ok().map(Self)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_put_aside_goes_on_where_it_was() {
        let mut whole = Digest::default();
        let mut parts = Digest::default();
        for n in 0..100_u8 {
            let line = vec![n; usize::from(n)];
            whole.take(&line);
            parts.take(&line);
            parts = Digest::taken_up(&parts.put_aside()).expect("its own state");
        }
        assert_eq!(whole.hex(), parts.hex());
        let mut abc = Digest::default();
        abc.take(b"abc");
        // FIPS 180-2, appendix B.1.
        assert_eq!(abc.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(Digest::taken_up("00").is_none() && Digest::taken_up("zz").is_none());
    }
}
