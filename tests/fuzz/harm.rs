//! What happens to files: cut, flipped, lost, doubled, overwritten bytes, and
//! words put where they do not belong.

use arbitrary::{Result, Unstructured};

/// One to four things happen to these bytes. Where `words` holds some, they are put in too.
pub(crate) fn harm(bytes: &mut Vec<u8>, words: &[&str], u: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..u.int_in_range(1..=4)? {
        if bytes.is_empty() {
            return Ok(());
        }
        let at = u.choose_index(bytes.len())?;
        let end = (at + u.int_in_range(1..=200_usize)?).min(bytes.len());
        match u.int_in_range(0..=6)? {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << u.int_in_range(0..=7)?,
            2 => {
                let length = u.arbitrary_len::<u8>()?.min(40);
                let new = u.bytes(length)?.to_vec();
                bytes.splice(at..at, new);
            }
            3 => drop(bytes.drain(at..end)),
            4 => {
                let again = bytes[at..end].to_vec();
                let to = u.choose_index(bytes.len())?;
                bytes.splice(to..to, again);
            }
            5 => bytes[at..end].fill(u.arbitrary()?),
            _ if words.is_empty() => bytes[at] = u.arbitrary()?,
            _ => {
                let word = u.choose(words)?.bytes();
                let replaced = if u.arbitrary()? { at..end } else { at..at };
                bytes.splice(replaced, word);
            }
        }
    }
    Ok(())
}
