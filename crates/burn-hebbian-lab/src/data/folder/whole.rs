//! Whether a JPEG is there to its end.

/// The bytes that a JPEG begins with.
const START: [u8; 2] = [0xff, 0xd8];

/// The marker of the end of the image, and those that no length follows.
const END: u8 = 0xd9;
const BARE: [u8; 10] = [0x01, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8];

/// Whether the bytes are no JPEG, or one that reaches its end-of-image marker: decoders make up what is missing.
///
/// Segments are stepped over by their lengths: the thumbnail in one has an end of its own.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    if !bytes.starts_with(&START) {
        return true;
    }
    let mut at = START.len();
    while let Some((marker, behind)) = next_marker(bytes, at) {
        at = match marker {
            END => return true,
            bare if BARE.contains(&bare) => behind,
            _ => behind + segment_len(bytes, behind),
        };
    }
    false
}

/// The next marker from `at` on, and where it ends; `ff 00` is a byte of the picture, `ff ff` a filler.
fn next_marker(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let pairs = bytes.get(at..)?.windows(2);
    let found = pairs.into_iter().position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xff))?;
    Some((bytes[at + found + 1], at + found + 2))
}

/// The length that a segment begins with, its own two bytes counted.
fn segment_len(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at..at + 2) {
        Some(len) => usize::from(u16::from_be_bytes([len[0], len[1]])).max(2),
        None => 2,
    }
}
