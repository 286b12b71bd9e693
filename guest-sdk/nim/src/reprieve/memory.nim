## A component's memory, for values of the canonical ABI. Nothing is freed: the host drops it after each call.

type Address* = distinct uint

func `+`*(at: Address, offset: int): Address = Address(uint(at) + uint(offset))

proc load*(T: typedesc, at: Address, offset = 0): T =
  cast[ptr T](uint(at) + uint(offset))[]

proc store*[T](at: Address, value: T, offset = 0) =
  cast[ptr T](uint(at) + uint(offset))[] = value

proc allocate*(size: int): Address =
  ## Zeroes, at an address for any value.
  cast[Address](alloc0(max(size, 1)))

proc textOf*(bytes: pointer, length: uint32): string =
  result = newString(length)
  if length > 0: copyMem(addr result[0], bytes, length)

proc textAt*(at: Address, offset = 0): string =
  ## The text whose address and length are here.
  textOf(cast[pointer](load(uint32, at, offset)), load(uint32, at, offset + 4))

proc putText*(at: Address, text: string, offset = 0) =
  ## Writes a text, and here its address and length.
  let bytes = allocate(text.len)
  if text.len > 0: copyMem(cast[pointer](bytes), unsafeAddr text[0], text.len)
  store(at, uint32(bytes), offset)
  store(at, uint32(text.len), offset + 4)

iterator itemsAt*(at: Address, size: int, offset = 0): Address =
  ## The addresses of a list's items of this size, whose address and length are here.
  for index in 0 ..< int(load(uint32, at, offset + 4)):
    yield Address(load(uint32, at, offset)) + index * size
