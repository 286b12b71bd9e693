// The last words of a policy: what was thrown, and where.

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
declare function writeTo(file: u32, texts: usize, count: u32, written: usize): u32;

/** Ends the call. The host shows what is on standard error then. `--use abort=reprieveAbort` puts it in the place of `abort`. */
// @ts-ignore: decorator
@global
export function reprieveAbort(message: string | null, file: string | null, line: u32, column: u32): void {
  const said = message ? message : "a check has failed";
  const words = String.UTF8.encode(`${said}, at ${file ? file : ""}:${line}:${column}\n`);
  const texts = memory.data(16);
  store<u32>(texts, u32(changetype<usize>(words)));
  store<u32>(texts, words.byteLength, 4);
  writeTo(2, texts, 1, texts + 8);
  unreachable();
}
