//! Passwords: hashed with Argon2id on a few threads that do nothing else.
//!
//! A hash takes about 20 ms and 19 MiB. As many are made at a time as there are
//! processors, always on the same threads and in the same memory.

use std::cell::RefCell;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use argon2::password_hash::PasswordVerifier;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::oneshot;

use crate::error::CommandError;

/// A piece of work for the threads.
type Job = Box<dyn FnOnce() + Send>;

static THREADS: LazyLock<Sender<Job>> = LazyLock::new(|| {
    let (sender, jobs) = channel::<Job>();
    let jobs = Arc::new(Mutex::new(jobs));
    for _ in 0..std::thread::available_parallelism().map_or(2, NonZero::get) {
        let jobs = Arc::clone(&jobs);
        std::thread::spawn(move || work(&jobs));
    }
    sender
});

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

/// Does something on one of the threads, in its turn.
async fn in_turn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CommandError> {
    let gone = || CommandError::Fault("the threads for passwords are gone".to_owned());
    let (answer, answered) = oneshot::channel();
    let job: Job = Box::new(move || {
        // Whoever asked may be gone; then nothing needs to be done.
        if !answer.is_closed() {
            let _ = answer.send(work());
        }
    });
    THREADS.send(job).map_err(|_| gone())?;
    answered.await.map_err(|_| gone())
}

/// OWASP's Argon2id parameters: memory in KiB, passes, lanes.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

thread_local! {
    /// What a thread hashes in, again and again: nothing is left for the allocator to keep.
    static BLOCKS: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// Hashes a password with Argon2id and a fresh salt, as a PHC string.
///
/// # Errors
/// No random numbers for the salt.
pub async fn hash_password(password: String) -> Result<String, CommandError> {
    in_turn(move || hash(password.as_bytes())).await?
}

fn hash(password: &[u8]) -> Result<String, CommandError> {
    let fault = |error: &dyn std::fmt::Display| CommandError::Fault(error.to_string());
    let params = Params::new(MEMORY, PASSES, LANES, None).map_err(|error| fault(&error))?;
    let (mut salt, mut out) = ([0_u8; 16], [0_u8; 32]);
    getrandom::fill(&mut salt).map_err(|error| fault(&error))?;
    BLOCKS.with_borrow_mut(|blocks| {
        blocks.resize(params.block_count(), Block::default());
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(password, &salt, &mut out, blocks)
            .map_err(|error| fault(&error))
    })?;
    let (salt, out) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(out));
    Ok(format!("$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}${salt}${out}"))
}

/// The highest cost of a bcrypt hash that is tried: each step doubles the work.
const BCRYPT_COST: u32 = 15;

/// Whether a hash is to be replaced once the password is at hand: one that another system made.
#[must_use]
pub fn is_outdated(hash: &str) -> bool {
    hash.starts_with("$2")
}

/// Whether a password fits an Argon2id hash, or a bcrypt hash from another system.
pub async fn verify_password(password: String, hash: String) -> bool {
    in_turn(move || {
        if is_outdated(&hash) {
            let cost = hash.get(4..6).and_then(|cost| cost.parse().ok());
            let affordable = cost.is_some_and(|cost: u32| cost <= BCRYPT_COST);
            return affordable && bcrypt::verify(password, &hash).unwrap_or(false);
        }
        let Ok(parsed) = argon2::PasswordHash::new(&hash) else { return false };
        Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok()
    })
    .await
    .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_hash_only() {
        let hash = hash_password("correct horse".into()).await.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify_password("correct horse".into(), hash.clone()).await);
        assert!(!is_outdated(&hash));
        assert!(!verify_password("battery staple".into(), hash).await);
    }

    #[tokio::test]
    async fn a_hash_of_another_system_is_tried_and_to_be_replaced() {
        // Of the OpenBSD test vectors: "U*U" at cost 5.
        let hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW".to_owned();
        assert!(is_outdated(&hash));
        assert!(verify_password("U*U".into(), hash.clone()).await);
        assert!(!verify_password("U*U*".into(), hash.clone()).await);
        let unaffordable = hash.replacen("$05$", "$31$", 1);
        assert!(!verify_password("U*U".into(), unaffordable).await);
    }
}
