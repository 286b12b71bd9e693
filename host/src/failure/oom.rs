//! The two kinds of "CUDA out of memory": the program asked for too much, or
//! others hold what it asked for.
//!
//! It reads the figures of PyTorch's message alone; which process the others
//! are is not its business, nor could the message be trusted with it: in a
//! container it calls the program itself "Process N".

/// Whether the message says that others hold the memory: beside what the
/// program has, more than a quarter of the device is taken, and the request
/// does not fit, but would if that were free. `false` where the message has no
/// figures.
///
/// Sources: pytorch `c10/cuda/CUDACachingAllocator.cpp`, the wordings since
/// 2.0 ("has a total capacity of") and before ("total capacity;").
pub(super) fn others_hold_the_memory(line: &str) -> bool {
    let figures = || {
        let total = after(line, "total capacity of ")
            .or_else(|| after(line, "total capacty of "))
            .or_else(|| before(line, " total capacity"))?;
        let free = before(line, " is free").or_else(|| before(line, " free;"))?;
        let asked = after(line, "Tried to allocate ")?;
        let own = after(line, "this process has ").or_else(|| before(line, " reserved in total")).or_else(
            || {
                let spare = before(line, " is reserved by PyTorch").unwrap_or(0.0);
                Some(before(line, " is allocated by PyTorch")? + spare)
            },
        )?;
        Some((total, free, asked, own))
    };
    figures()
        .is_some_and(|(total, free, asked, own)| total - free - own > total / 4.0 && own + asked <= total)
}

/// The size that follows the phrase, in bytes.
fn after(line: &str, phrase: &str) -> Option<f64> {
    let (_, rest) = line.split_once(phrase)?;
    let mut words = rest.split_whitespace();
    size(words.next()?, words.next()?)
}

/// The size that stands before the phrase, in bytes.
fn before(line: &str, phrase: &str) -> Option<f64> {
    let (rest, _) = line.split_once(phrase)?;
    let mut words = rest.rsplit(char::is_whitespace);
    let unit = words.next()?;
    size(words.next()?, unit)
}

fn size(number: &str, unit: &str) -> Option<f64> {
    let scale = match unit.trim_end_matches(|c: char| !c.is_ascii_alphabetic()) {
        "bytes" => 0,
        "KiB" => 1,
        "MiB" => 2,
        "GiB" => 3,
        "TiB" => 4,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * 1024_f64.powi(scale))
}
