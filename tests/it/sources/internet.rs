//! An internet of our own: a proxy that answers for some hosts itself, over TLS that a certificate file vouches for,
//! and tunnels to the real ones for all others. So hosts of a policy can be tested without a port, an address or an
//! exception in it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivateKeyDer};

/// A request to one of our hosts.
pub(crate) struct Request {
    pub(crate) host: String,
    pub(crate) method: String,
    pub(crate) target: String,
    /// By name in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// Status line, headers and body.
pub(crate) struct Answer {
    pub(crate) status: &'static str,
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(status: &'static str, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![format!("content-type: {kind}")], body: body.into() }
    }
}

type Hosts = Arc<dyn Fn(&Request) -> Option<Answer> + Send + Sync>;

/// Where the proxy is, and the certificates that those who use it must believe.
pub(crate) struct Internet {
    pub(crate) proxy: String,
    pub(crate) certificates: PathBuf,
}

impl Internet {
    /// `hosts` are ours; the certificates go to `directory`.
    pub(crate) fn new(directory: &Path, hosts: &'static [&str], answer: Hosts) -> Self {
        let (config, authority) = certificate(hosts);
        let certificates = directory.join("certificates.pem");
        let system = std::env::var("SSL_CERT_FILE")
            .unwrap_or_else(|_| "/etc/ssl/certs/ca-certificates.crt".to_owned());
        fs::write(&certificates, fs::read_to_string(system).unwrap() + "\n" + &authority).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, config, answer) = (stream.unwrap(), Arc::clone(&config), Arc::clone(&answer));
                // A client that goes away in the middle is no matter of ours.
                std::thread::spawn(move || drop(connection(stream, hosts, config, &answer)));
            }
        });
        Self { proxy, certificates }
    }
}

fn certificate(hosts: &[&str]) -> (Arc<ServerConfig>, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);
    let names: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    (Arc::new(config), pem)
}

fn lines(reader: &mut impl std::io::BufRead) -> std::io::Result<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            return Ok(lines);
        }
        lines.push(line);
    }
}

fn connection(
    mut stream: TcpStream,
    hosts: &[&str],
    config: Arc<ServerConfig>,
    answer: &Hosts,
) -> std::io::Result<()> {
    let head = lines(&mut BufReader::new(stream.try_clone()?))?;
    let target =
        head.first().and_then(|line| line.strip_prefix("CONNECT ")?.split(' ').next()).unwrap_or_default();
    let host = target.split(':').next().unwrap_or_default().to_owned();
    if !hosts.contains(&host.as_str()) {
        let mut upstream = TcpStream::connect(target)?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        let (mut from, mut to) = (stream.try_clone()?, upstream.try_clone()?);
        std::thread::spawn(move || {
            drop(std::io::copy(&mut from, &mut to));
            drop(to.shutdown(std::net::Shutdown::Write));
        });
        std::io::copy(&mut upstream, &mut stream)?;
        return Ok(());
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let tls = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut reader = BufReader::new(StreamOwned::new(tls, stream));
    let head = lines(&mut reader)?;
    let mut words = head.first().map(String::as_str).unwrap_or_default().split(' ').map(str::to_owned);
    let headers: BTreeMap<String, String> = head
        .iter()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut body = vec![0; headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let request = Request { host, method, target, headers, body };
    let answer =
        answer(&request).unwrap_or_else(|| Answer::new("404 Not Found", "text/plain", "no such thing"));
    let mut head = format!(
        "HTTP/1.1 {}\r\ncontent-length: {}\r\nconnection: close\r\n",
        answer.status,
        answer.body.len()
    );
    for header in &answer.headers {
        write!(head, "{header}\r\n").unwrap();
    }
    let mut stream = reader.into_inner();
    stream.write_all((head + "\r\n").as_bytes())?;
    stream.write_all(&answer.body)?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// git's own server over the repositories in `root` (git-http-backend(1)).
pub(crate) fn git_server(root: &Path, request: &Request) -> Option<Answer> {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let header = |name: &str| request.headers.get(name).cloned().unwrap_or_default();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let body = request.body.clone();
    let feeder = std::thread::spawn(move || drop(input.write_all(&body)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    let end = output.stdout.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&output.stdout[..end]).into_owned();
    let (status, headers): (Vec<_>, Vec<_>) =
        head.lines().map(str::to_owned).partition(|line| line.starts_with("Status:"));
    let status = if status.is_empty() { "200 OK" } else { "404 Not Found" };
    Some(Answer { status, headers, body: output.stdout[end + 4..].to_vec() })
}
