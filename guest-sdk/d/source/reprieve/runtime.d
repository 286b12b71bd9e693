/// What the compiler makes calls of, in a component without a C library.
module reprieve.runtime;

version (WebAssembly):

import ldc.intrinsics : llvm_trap;

import reprieve.backoff : high;

package extern (C):

/// A failed `assert`, or an index out of bounds.
void __assert(const char*, const char*, int)
{
    llvm_trap();
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
