//! The transfer of one file.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    path::Path,
};

use ureq::{Agent, Body, http::Response};

use super::DownloadError;

/// Bytes that are written at a time.
const CHUNK: usize = 1 << 16;

const PARTIAL: u16 = 206;
const NOTHING_LEFT: u16 = 416;

/// Fetches to `part` what it does not hold yet. Whether what it held was gone on with.
pub(super) fn receive(agent: &Agent, url: &str, part: &Path) -> Result<bool, DownloadError> {
    let held = fs::metadata(part).map_or(0, |file| file.len());
    let response = ask(agent, url, held)?;
    let status = response.status().as_u16();
    match (status, held) {
        (PARTIAL, 1..) => {
            let file = OpenOptions::new().append(true).open(part).map_err(DownloadError::io(part))?;
            write(response, url, file, held, part)?;
            Ok(true)
        }
        // All of it is there, or the file is another one now: the checksum tells.
        (NOTHING_LEFT, 1..) => Ok(true),
        _ if response.status().is_success() => {
            let file = File::create(part).map_err(DownloadError::io(part))?;
            write(response, url, file, 0, part)?;
            Ok(false)
        }
        _ => Err(DownloadError::Status { url: url.to_string(), status }),
    }
}

/// Asks for all bytes from `held` on.
fn ask(agent: &Agent, url: &str, held: u64) -> Result<Response<Body>, DownloadError> {
    let request = agent.get(url);
    let request = match held {
        0 => request,
        held => request.header("Range", format!("bytes={held}-")),
    };
    request
        .call()
        .map_err(|source| DownloadError::Unreachable { url: url.to_string(), source: Box::new(source) })
}

/// Writes the answer's body to `file`, which holds `held` bytes.
fn write(
    response: Response<Body>,
    url: &str,
    mut file: File,
    held: u64,
    part: &Path,
) -> Result<(), DownloadError> {
    let mut body = response.into_body().into_reader();
    let (mut chunk, mut got) = (vec![0; CHUNK], held);
    loop {
        let read = body.read(&mut chunk).map_err(|source| DownloadError::Interrupted {
            url: url.to_string(),
            got,
            part: part.to_path_buf(),
            source,
        })?;
        if read == 0 {
            return Ok(());
        }
        file.write_all(&chunk[..read]).map_err(DownloadError::io(part))?;
        got += read as u64;
    }
}
