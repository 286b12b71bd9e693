// Memory, for values of the canonical ABI. Nothing is freed: the host drops an
// instance after one call.

/** Memory at an address that is a multiple of 8, and zero. */
export function allocate(size: usize): usize {
  const address = (heap.alloc(size + 8) + 7) & ~7;
  memory.fill(address, 0, size);
  return address;
}

/** The string whose address and length are here. */
export function textAt(at: usize): string {
  return String.UTF8.decodeUnsafe(load<u32>(at), load<u32>(at, 4));
}

/** Writes a string, and here its address and length. */
export function putText(at: usize, text: string): void {
  const bytes = String.UTF8.encode(text, false, String.UTF8.ErrorMode.REPLACE);
  store<u32>(at, u32(changetype<usize>(bytes)));
  store<u32>(at, bytes.byteLength, 4);
}
