/// What the compiler makes calls of, in a component without a C library.
module reprieve.runtime;

version (WebAssembly):

import ldc.attributes : llvmAttr;
import ldc.intrinsics : llvm_trap;

import reprieve.backoff : high;
import reprieve.text;

package extern (C):

@(llvmAttr("wasm-import-module", "wasi_snapshot_preview1")) @(llvmAttr("wasm-import-name", "fd_write"))
private int reprieve_write(int file, const size_t* texts, int count, size_t* written);

/// A failed `assert`, or an index out of bounds: ends the call. The host shows what is on standard error then.
void __assert(const char* what, const char* file, int line)
{
    const words = text(read(file), ":", uint(line), ": ", read(what), "\n");
    const size_t[2] place = [cast(size_t) words.ptr, words.length];
    size_t written;
    reprieve_write(2, place.ptr, 1, &written);
    llvm_trap();
}

private const(char)[] read(const char* letters)
{
    size_t length;
    while (letters[length])
        length++;
    return letters[0 .. length];
}

void _d_array_slice_copy(void* to, size_t toLength, const void* from, size_t fromLength, size_t itemSize)
{
    if (toLength != fromLength)
        llvm_trap();
    memcpy(to, from, toLength * itemSize);
}

void* memcpy(return void* to, const void* from, size_t count)
{
    foreach (i; 0 .. count)
        (cast(ubyte*) to)[i] = (cast(const ubyte*) from)[i];
    return to;
}

void* memmove(return void* to, const void* from, size_t count)
{
    if (to < from)
        return memcpy(to, from, count);
    foreach_reverse (i; 0 .. count)
        (cast(ubyte*) to)[i] = (cast(const ubyte*) from)[i];
    return to;
}

void* memset(return void* at, int value, size_t count)
{
    foreach (i; 0 .. count)
        (cast(ubyte*) at)[i] = cast(ubyte) value;
    return at;
}

int memcmp(const void* one, const void* other, size_t count)
{
    foreach (i; 0 .. count)
        if (const difference = (cast(const ubyte*) one)[i] - (cast(const ubyte*) other)[i])
            return difference;
    return 0;
}

inout(void)* memchr(return inout void* at, int value, size_t count)
{
    foreach (i; 0 .. count)
        if ((cast(const ubyte*) at)[i] == cast(ubyte) value)
            return at + i;
    return null;
}

/// A product of 128 bits.
void __multi3(ulong* product, ulong one, ulong oneHigh, ulong other, ulong otherHigh)
{
    product[0] = one * other;
    product[1] = high(one, other) + one * otherHigh + oneHigh * other;
}
