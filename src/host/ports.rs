//! The ports of this host.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    time::Duration,
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

/// Whether somebody behind a port of the loopback answers a request by HTTP, whatever the answer is. That a connection is
/// taken says nothing: rootless podman takes it before it looks who is there.
#[must_use]
pub fn answers(port: u16, patience: Duration) -> bool {
    let asked = || -> io::Result<bool> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        write!(stream, "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
        let mut first = [0; 5];
        stream.read_exact(&mut first)?;
        Ok(first == *b"HTTP/")
    };
    asked().unwrap_or(false)
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

    #[test]
    fn a_port_answers_when_somebody_speaks_http_behind_it() {
        let patience = Duration::from_secs(5);
        for (answer, want) in [("HTTP/1.1 404 Not Found\r\n\r\n", true), ("SSH-2.0\r\n", false), ("", false)]
        {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 64];
                let read = stream.read(&mut request).unwrap();
                assert!(request[..read].starts_with(b"GET / "));
                stream.write_all(answer.as_bytes()).unwrap();
            });
            assert_eq!(answers(port, patience), want, "{answer:?}");
            server.join().unwrap();
            assert!(!answers(port, patience), "nobody listens any more");
        }
    }
}
