//! Fetching data: a file arrives under its name whole and verified, or not at all.
//!
//! [`Source::download`](super::Source::download) fetches the official files of a known data set; [`fetch`] any file.

mod archive;
mod checksum;
mod error;
mod known;
mod transfer;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use ureq::Agent;

pub use checksum::Checksum;
pub use error::DownloadError;

/// How long a server may take to answer; the body may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fetches `url` to `target`, unless it is there already.
///
/// Bytes go to `target.part`; when their checksum is right, the file is renamed. What an interrupted call has left is
/// gone on with where the server can, and fetched anew where the sum shows that it was something else.
///
/// # Errors
///
/// If the server cannot be reached, does not have the file, or ends early; if the checksum is wrong, after which nothing
/// is kept; if the disk cannot be written.
pub fn fetch(url: &str, checksum: &Checksum, target: &Path) -> Result<(), DownloadError> {
    let config = Agent::config_builder()
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .http_status_as_error(false);
    fetch_by(&config.build().into(), url, checksum, target)
}

fn fetch_by(agent: &Agent, url: &str, checksum: &Checksum, target: &Path) -> Result<(), DownloadError> {
    if target.exists() && checksum.of(target)?.is_none() {
        return Ok(());
    }
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(DownloadError::io(folder))?;
    }
    let part = beside(target);
    if let Some(got) = receive_all(agent, url, checksum, &part)? {
        remove(&part)?;
        return Err(DownloadError::Checksum { url: url.to_string(), expected: checksum.to_string(), got });
    }
    fs::rename(&part, target).map_err(DownloadError::io(target))
}

/// Fetches the file to `part`; its checksum if that is wrong.
fn receive_all(
    agent: &Agent,
    url: &str,
    checksum: &Checksum,
    part: &Path,
) -> Result<Option<String>, DownloadError> {
    let resumed = transfer::receive(agent, url, part)?;
    let wrong = checksum.of(part)?;
    if !resumed || wrong.is_none() {
        return Ok(wrong);
    }
    // What was gone on with was the beginning of something else.
    remove(part)?;
    transfer::receive(agent, url, part)?;
    checksum.of(part)
}

/// Where a file or folder lies until it is whole: `NAME.part`.
fn beside(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_os_string();
    name.push(".part");
    name.into()
}

fn remove(file: &Path) -> Result<(), DownloadError> {
    fs::remove_file(file).map_err(DownloadError::io(file))
}

#[cfg(test)]
mod tests;
