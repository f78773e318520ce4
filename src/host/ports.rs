//! The ports of this host.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
};

/// Whether a port of the loopback can be listened on, which is tried.
///
/// # Errors
/// The system's, for any other reason than that it is taken.
pub fn is_free(port: u16) -> io::Result<bool> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_somebody_listens_on_is_taken() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(port).unwrap());
        drop(listener);
        assert!(is_free(port).unwrap());
    }
}
