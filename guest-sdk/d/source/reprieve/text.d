/// Texts, and the memory for them. In a component nothing is freed: the host drops its memory after each call.
module reprieve.text;

/// Memory for so many values, each as it is by default.
package T[] allocate(T)(size_t count)
{
    version (WebAssembly)
    {
        auto items = cast(T*) take(count * T.sizeof);
        foreach (ref item; items[0 .. count])
            item = T.init;
        return items[0 .. count];
    }
    else
        return new T[count];
}

version (WebAssembly)
{
    import ldc.intrinsics : llvm_trap;

    pragma(LDC_intrinsic, "llvm.wasm.memory.grow.i32") private int grow(int memory, int pages);
    pragma(LDC_intrinsic, "llvm.wasm.memory.size.i32") private int size(int memory);

    private extern (C) extern __gshared ubyte __heap_base;
    private __gshared size_t taken;

    /// Bytes at an address that is a multiple of 16.
    package ubyte* take(size_t bytes)
    {
        if (taken == 0)
            taken = cast(size_t)&__heap_base;
        const at = (taken + 15) & ~size_t(15);
        const end = at + bytes;
        const pages = size(0);
        if (end < at)
            llvm_trap();
        if (end > pages * size_t(65_536) && grow(0, cast(int)((end - pages * size_t(65_536) + 65_535) / 65_536)) < 0)
            llvm_trap();
        taken = end;
        return cast(ubyte*) at;
    }
}

/// The texts and whole numbers in a row.
string text(Parts...)(Parts parts)
{
    size_t length;
    char[20][Parts.length] buffers = void;
    const(char)[][Parts.length] written;
    foreach (i, part; parts)
    {
        written[i] = write(buffers[i], part);
        length += written[i].length;
    }
    auto joined = allocate!char(length);
    size_t at;
    foreach (part; written)
    {
        joined[at .. at + part.length] = part[];
        at += part.length;
    }
    return cast(string) joined;
}

private const(char)[] write(return ref char[20] buffer, return const(char)[] part)
{
    return part;
}

private const(char)[] write(return ref char[20] buffer, ulong number)
{
    size_t at = buffer.length;
    do
    {
        buffer[--at] = cast(char)('0' + number % 10);
        number /= 10;
    }
    while (number);
    return buffer[at .. $];
}

/// A name of D's as the contract writes it: `rateLimited` is `rate-limited`, where this is the hyphen.
package string spelt(string name, char hyphen)
{
    auto letters = allocate!char(2 * name.length);
    size_t length;
    foreach (letter; name)
    {
        const capital = letter >= 'A' && letter <= 'Z';
        if (capital)
            letters[length++] = hyphen;
        letters[length++] = capital ? cast(char)(letter + 32) : letter;
    }
    return cast(string) letters[0 .. length];
}

unittest
{
    assert(text("retry ", 1u, " of ", ulong.max, "") == "retry 1 of 18446744073709551615");
    assert(spelt("failedInARow", '_') == "failed_in_a_row" && spelt("hang", '-') == "hang");
}
