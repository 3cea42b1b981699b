use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

use super::*;

const BODY: &[u8] = b"The quick brown fox jumps over the lazy dog";
const MD5: &str = "9e107d9d372bb6826bd81d3542a419d6";
const SHA_256: &str = "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592";

/// A server on this machine that gives one answer a connection, and remembers what it was asked.
struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn answering(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/file", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(vec![]));
        let heard = requests.clone();
        thread::spawn(move || {
            for (answer, stream) in answers.into_iter().zip(listener.incoming()) {
                let mut stream = stream.unwrap();
                heard.lock().unwrap().push(request(&mut stream));
                stream.write_all(&answer).unwrap();
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn request(stream: &mut TcpStream) -> String {
    let (mut request, mut byte) = (vec![], [0]);
    while !request.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        request.push(byte[0]);
    }
    String::from_utf8(request).unwrap().to_lowercase()
}

/// An answer that announces `len` bytes.
fn answer(status: &str, len: usize, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn good() -> Vec<u8> {
    answer("200 OK", BODY.len(), BODY)
}

/// A folder, and the file and the partial file in it.
fn place() -> (TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("data").join("file.bin");
    fs::create_dir(dir.path().join("data")).unwrap();
    (dir, target.clone(), target.with_file_name("file.bin.part"))
}

fn sha_256() -> Checksum {
    Checksum::Sha256(SHA_256.to_string())
}

/// As [`fetch`], past any proxy of this machine's.
fn get(url: &str, target: &Path) -> Result<(), DownloadError> {
    let config = Agent::config_builder().proxy(None).http_status_as_error(false);
    fetch_by(&config.build().into(), url, &sha_256(), target)
}

#[test]
fn a_good_file_arrives_under_its_name() {
    let (_dir, target, part) = place();
    let server = Server::answering(vec![good()]);
    get(&server.url, &target).unwrap();
    assert_eq!((fs::read(&target).unwrap().as_slice(), part.exists()), (BODY, false));
    // it is not asked for again: the server is gone
    get(&server.url, &target).unwrap();
    assert_eq!(server.requests().len(), 1);
    assert!(!server.requests()[0].contains("range"));
}

#[test]
fn both_checksums_are_known() {
    let (_dir, target, _) = place();
    fs::write(&target, BODY).unwrap();
    assert_eq!(sha_256().of(&target).unwrap(), None);
    assert_eq!(Checksum::Md5(MD5.to_uppercase()).of(&target).unwrap(), None);
    assert_eq!(Checksum::Md5("0".repeat(32)).of(&target).unwrap(), Some(MD5.to_string()));
}

#[test]
fn a_truncated_file_is_kept_aside_and_gone_on_with() {
    let (_dir, target, part) = place();
    let rest = answer("206 Partial Content", BODY.len() - 10, &BODY[10..]);
    let server = Server::answering(vec![answer("200 OK", BODY.len(), &BODY[..10]), rest]);
    let error = get(&server.url, &target).unwrap_err();
    let expected =
        format!("{}: interrupted after 10 bytes, which are kept in {}", server.url, part.display());
    assert_eq!(error.to_string(), expected);
    assert_eq!((fs::read(&part).unwrap().as_slice(), target.exists()), (&BODY[..10], false));
    get(&server.url, &target).unwrap();
    assert!(server.requests()[1].contains("range: bytes=10-"), "{:?}", server.requests());
    assert_eq!((fs::read(&target).unwrap().as_slice(), part.exists()), (BODY, false));
}

#[test]
fn a_server_that_cannot_go_on_starts_anew() {
    let (_dir, target, part) = place();
    fs::write(part, b"The slow").unwrap();
    get(&Server::answering(vec![good()]).url, &target).unwrap();
    assert_eq!(fs::read(target).unwrap(), BODY);
}

#[test]
fn the_rest_of_another_file_is_fetched_anew() {
    let (_dir, target, part) = place();
    fs::write(&part, b"The slow brown").unwrap();
    let rest = answer("206 Partial Content", BODY.len() - 14, &BODY[14..]);
    let server = Server::answering(vec![rest, good()]);
    get(&server.url, &target).unwrap();
    assert_eq!((fs::read(target).unwrap().as_slice(), server.requests().len()), (BODY, 2));
}

#[test]
fn a_partial_file_that_was_whole_is_taken() {
    let (_dir, target, part) = place();
    fs::write(part, BODY).unwrap();
    let server = Server::answering(vec![answer("416 Range Not Satisfiable", 0, b"")]);
    get(&server.url, &target).unwrap();
    assert_eq!(fs::read(target).unwrap(), BODY);
}

#[test]
fn a_wrong_checksum_states_both_and_keeps_nothing() {
    let (_dir, target, part) = place();
    let server = Server::answering(vec![answer("200 OK", 3, b"abc")]);
    let error = get(&server.url, &target).unwrap_err();
    let got = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(error.to_string(), format!("{}: expected SHA-256 {SHA_256}, got {got}", server.url));
    assert!(!target.exists() && !part.exists());
}

#[test]
fn a_damaged_file_is_replaced() {
    let (_dir, target, _) = place();
    fs::write(&target, b"abc").unwrap();
    get(&Server::answering(vec![good()]).url, &target).unwrap();
    assert_eq!(fs::read(target).unwrap(), BODY);
}

#[test]
fn a_missing_file_is_an_error_of_the_server() {
    let (_dir, target, part) = place();
    let server = Server::answering(vec![answer("404 Not Found", 4, b"gone")]);
    let error = get(&server.url, &target).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: the server answers with status 404", server.url));
    assert!(!target.exists() && !part.exists());
}

#[test]
fn no_server_is_named() {
    let (_dir, target, _) = place();
    // a port that nothing listens on any more
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}/file");
    let error = get(&url, &target).unwrap_err();
    assert_eq!(error.to_string(), format!("{url}: cannot be reached; is there a network?"));
}

fn archive_of(path: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(BODY.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, path, BODY).unwrap();
    archive.into_inner().unwrap().finish().unwrap()
}

#[test]
fn archives_are_unpacked_whole_or_not_at_all() {
    let (dir, target, _) = place();
    let bytes = archive_of("cifar/test.bin");
    fs::write(&target, &bytes[..bytes.len() / 2]).unwrap();
    let error = archive::unpack(&target, "cifar", dir.path()).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: cannot be read, written or unpacked", target.display()));
    assert!(!dir.path().join("cifar").exists());
    fs::write(&target, bytes).unwrap();
    archive::unpack(&target, "cifar", dir.path()).unwrap();
    assert_eq!(fs::read(dir.path().join("cifar/test.bin")).unwrap(), BODY);
    assert!(!dir.path().join("cifar.part").exists());
}

#[test]
fn an_archive_of_something_else_is_refused() {
    let (dir, target, _) = place();
    fs::write(&target, archive_of("mnist/test.bin")).unwrap();
    assert!(archive::unpack(&target, "cifar", dir.path()).is_err());
    assert!(!dir.path().join("cifar").exists());
}
