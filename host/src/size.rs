//! Vocabulary: how a number of bytes is written for people.
//!
//! Never for machines: they get the number.

/// A number of bytes, to the precision that a reader needs.
pub fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let of = |unit: u32| bytes as f64 / f64::from(unit);
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => format!("{} KiB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", bytes >> 20),
        0x4000_0000..0x19_0000_0000 => format!("{:.1} GiB", of(1 << 30)),
        _ => format!("{:.0} GiB", of(1 << 30)),
    }
}
