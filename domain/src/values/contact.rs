//! By what people are known and reached.

use super::{InvalidValue, checked_string, shown_as_text};

/// An address for electronic mail, at most 255 characters, in the shape that
/// the read table's `chk_email_format` asks.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email(String);

/// A name to sign in with: 1 to 50 ASCII letters, digits, `.`, `_` and `-`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Username(String);

/// A telephone number: 3 to 20 digits, spaces, `+`, `-`, `.`, `/`, `(` and `)`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phone(String);

/// An address in the web: http or https, at most 500 characters, without white space.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WebAddress(String);

checked_string!(Email);
checked_string!(Username);
checked_string!(Phone);
checked_string!(WebAddress);

impl Email {
    /// The address without regard to case: what is unique.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    fn check(text: &str) -> Result<(), InvalidValue> {
        let fits = |text: &str| -> Option<()> {
            let (local, domain) = text.split_once('@')?;
            let (host, top) = domain.rsplit_once('.')?;
            let is_local = |b: u8| b.is_ascii_alphanumeric() || b"._%+-".contains(&b);
            let is_host = |b: u8| b.is_ascii_alphanumeric() || b".-".contains(&b);
            let right = !local.is_empty()
                && local.bytes().all(is_local)
                && !host.is_empty()
                && host.bytes().all(is_host)
                && top.len() >= 2
                && top.bytes().all(|b| b.is_ascii_alphabetic());
            right.then_some(())
        };
        if text.len() > 255 || fits(text).is_none() {
            return Err(InvalidValue::new(
                "an email such as \"ada@example.com\" is allowed, at most 255 characters",
            ));
        }
        Ok(())
    }
}

impl Username {
    /// The name without regard to case: what is unique.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    fn check(text: &str) -> Result<(), InvalidValue> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if text.is_empty() || text.len() > 50 || !text.bytes().all(fits) {
            return Err(InvalidValue::new(
                "a username of 1 to 50 letters, digits, \".\", \"_\" and \"-\" is allowed",
            ));
        }
        Ok(())
    }
}

impl WebAddress {
    fn check(text: &str) -> Result<(), InvalidValue> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = |c: char| !c.is_whitespace() && !c.is_control();
        let fits = host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'));
        if !fits || text.chars().count() > 500 || !text.chars().all(plain) {
            return Err(InvalidValue::new(
                "an address such as \"https://example.com/ada.png\" is allowed, at most 500 characters",
            ));
        }
        Ok(())
    }
}

impl Phone {
    fn check(text: &str) -> Result<(), InvalidValue> {
        let fits = |b: u8| b.is_ascii_digit() || b" +-./()".contains(&b);
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        if digits < 3 || text.len() > 20 || !text.bytes().all(fits) {
            return Err(InvalidValue::new(
                "a telephone number such as \"+420 123 456 789\" is allowed, at most 20 characters",
            ));
        }
        Ok(())
    }
}

shown_as_text! {
    Email {
        "type": "string", "format": "email", "maxLength": 255,
        "pattern": r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$"
    }
    Username { "type": "string", "pattern": "^[A-Za-z0-9._-]{1,50}$" }
    Phone { "type": "string", "pattern": "^[0-9 +./()-]{3,20}$" }
    WebAddress { "type": "string", "format": "uri", "maxLength": 500, "pattern": "^https?://" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_match_the_tables_check() {
        for right in ["ada@example.com", "A.B_c%d+e-f@x-1.y.museum", "a@-.zz"] {
            assert!(right.parse::<Email>().is_ok(), "{right}");
        }
        for wrong in
            ["", "a", "a@b", "@b.cz", "a@.cz", "a@b.c", "a@b.c1", "a@@b.cz", "a b@c.cz", "é@b.cz"]
        {
            assert!(wrong.parse::<Email>().is_err(), "{wrong}");
        }
        assert!(format!("{}@example.com", "a".repeat(250)).parse::<Email>().is_err());
        let email: Email = "Ada@Example.COM".parse().unwrap();
        assert_eq!(email.key(), "ada@example.com");
        assert_eq!(email.as_str(), "Ada@Example.COM");
    }

    #[test]
    fn usernames_and_telephone_numbers() {
        assert!("ada.lovelace-1_2".parse::<Username>().is_ok());
        for wrong in ["", "a b", "a@b", "é", &"a".repeat(51)] {
            assert!(wrong.parse::<Username>().is_err(), "{wrong}");
        }
        assert!("+420 (2) 123-456".parse::<Phone>().is_ok());
        assert!("https://example.com/ada.png?s=1".parse::<WebAddress>().is_ok());
        let long = format!("https://{}", "a".repeat(500));
        for wrong in ["", "https://", "http:///x", "javascript:alert(1)", "https://a b", &long] {
            assert!(wrong.parse::<WebAddress>().is_err(), "{wrong}");
        }
        for wrong in ["", "12", "call me", "123456789012345678901"] {
            assert!(wrong.parse::<Phone>().is_err(), "{wrong}");
        }
    }
}
