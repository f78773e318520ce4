//! Chance, for what nobody is to guess; never for outputs.

use std::io;

use rustix::{
    io::Errno,
    rand::{GetRandomFlags, getrandom},
};

/// Bytes that nobody can guess.
///
/// # Errors
/// The system's.
pub fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match getrandom(rest, GetRandomFlags::empty()) {
            Ok(more) => filled += more,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_guesses_them() {
        let two: [[u8; 32]; 2] = [bytes().unwrap(), bytes().unwrap()];
        assert_ne!(two[0], two[1]);
        assert!(two.iter().all(|one| one.iter().any(|byte| *byte != 0)));
    }
}
