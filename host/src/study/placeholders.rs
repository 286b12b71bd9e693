//! `{name}` in a text stands for the value of a parameter.
//!
//! Only what looks exactly like a name in braces is one: JSON, `${HOME}` and
//! other templates pass through untouched.

/// A stretch of text with placeholders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// Stands for itself.
    Literal(&'t str),
    /// Stands for this parameter's value.
    Parameter(&'t str),
}

/// Whether a parameter may have this name: letters, digits, `_` and `-`, and
/// no digit or `-` first.
pub(super) fn is_name(text: &str) -> bool {
    let first = text.bytes().next();
    first.is_some_and(|b| b.is_ascii_alphabetic() || b == b'_') && text.bytes().all(in_name)
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Replaces the placeholders of a text. `value` answers for every name in it.
pub(super) fn fill<'v>(text: &str, value: impl Fn(&str) -> &'v str) -> String {
    let mut filled = String::with_capacity(text.len());
    each_piece(text, |piece| {
        filled.push_str(match piece {
            Piece::Literal(literal) => literal,
            Piece::Parameter(name) => value(name),
        });
    });
    filled
}

/// Takes a text apart, in order.
///
/// Each two braces on both sides of a name are one literal brace: `{{name}}`
/// is the text `{name}`, and `{{{name}}}` is the value in braces. Braces that
/// have no partner across the name stay, so that `{"batch":{batch}}` is JSON
/// with a value in it. After a `$` everything stays: that is a shell's.
pub(super) fn each_piece<'t>(text: &'t str, mut see: impl FnMut(Piece<'t>)) {
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let run = |from: usize, wanted: fn(u8) -> bool| {
            from + rest[from..].bytes().take_while(|byte| wanted(*byte)).count()
        };
        let name_start = run(open, |byte| byte == b'{');
        let name_end = run(name_start, in_name);
        let close = run(name_end, |byte| byte == b'}');
        let name = &rest[name_start..name_end];
        let pairs = (name_start - open).min(close - name_end);
        if pairs == 0 || !is_name(name) || rest[..open].ends_with('$') {
            see(Piece::Literal(&rest[..close]));
            rest = &rest[close..];
            continue;
        }
        let kept = pairs / 2;
        see(Piece::Literal(&rest[..name_start - pairs + kept]));
        see(if pairs % 2 == 1 { Piece::Parameter(name) } else { Piece::Literal(name) });
        see(Piece::Literal(&rest[name_end..name_end + kept]));
        rest = &rest[name_end + pairs..];
    }
    see(Piece::Literal(rest));
}

/// The text that stands for this one, whatever braces are in it.
pub(super) fn literal(text: &str) -> String {
    let mut doubled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let name_start = open + rest[open..].bytes().take_while(|byte| *byte == b'{').count();
        let name_end = name_start + rest[name_start..].bytes().take_while(|byte| in_name(*byte)).count();
        let close = name_end + rest[name_end..].bytes().take_while(|byte| *byte == b'}').count();
        let is_placeholder = is_name(&rest[name_start..name_end]) && !rest[..open].ends_with('$');
        let pairs = if is_placeholder { (name_start - open).min(close - name_end) } else { 0 };
        doubled.push_str(&rest[..name_start]);
        doubled.extend(std::iter::repeat_n('{', pairs));
        doubled.push_str(&rest[name_start..close]);
        doubled.extend(std::iter::repeat_n('}', pairs));
        rest = &rest[close..];
    }
    doubled.push_str(rest);
    doubled
}
