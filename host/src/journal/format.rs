//! One line of the journal, to bytes and back.

use serde::Serialize;
use serde::de::DeserializeOwned;

const PREFIX: &[u8] = b"{\"crc32c\":\"";
const CRC_DIGITS: usize = 8;
/// The prefix, the sum, its closing quote and the comma.
const HEAD: usize = PREFIX.len() + CRC_DIGITS + 2;

/// Appends a value's line. The value must be a JSON object that is not empty.
pub(super) fn encode(value: &impl Serialize, line: &mut Vec<u8>) {
    let body = serde_json::to_vec(value).expect("events have string keys and no other way to fail");
    let body = &body[1..];
    line.extend_from_slice(PREFIX);
    line.extend_from_slice(format!("{:08x}", crc32c::crc32c(body)).as_bytes());
    line.extend_from_slice(b"\",");
    line.extend_from_slice(body);
    line.push(b'\n');
}

/// Reads a line without its newline; says what is wrong with it.
pub(super) fn decode<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    let Some((head, body)) = line.split_at_checked(HEAD) else { return Err("too short".to_owned()) };
    let sum = head
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix(b"\","))
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .ok_or_else(|| "no checksum where one should be".to_owned())?;
    let found = crc32c::crc32c(body);
    if sum != found {
        return Err(format!("checksum `{found:08x}`, but the line says `{sum:08x}`"));
    }
    let mut object = Vec::with_capacity(body.len() + 1);
    object.push(b'{');
    object.extend_from_slice(body);
    serde_json::from_slice(&object).map_err(|error| error.to_string())
}
