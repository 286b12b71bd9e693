/// Moves values in and out of memory by the component model's canonical ABI, which a type's own shape tells.
module reprieve.abi;

import std.meta : staticIndexOf;
import std.sumtype;
import std.traits : Unqual;

import reprieve.optional;
import reprieve.text;
import reprieve.time;

package:

enum isOptional(T) = is(T == Optional!U, U);
private enum isPlain(T) = is(T == enum) || __traits(isArithmetic, T);

private size_t greatest(size_t one, size_t other)
{
    return one > other ? one : other;
}

private size_t aligned(size_t at, size_t to)
{
    return (at + to - 1) / to * to;
}

/// What a value's address is a multiple of.
template alignOf(T)
{
    enum size_t alignOf = () {
        static if (isPlain!T)
            return T.sizeof;
        else static if (is(T == Duration))
            return 8;
        else static if (is(T == E[], E))
            return 4;
        else static if (isOptional!T)
            return alignOf!(T.Of);
        else
        {
            size_t most = 1;
            static if (isSumType!T)
                static foreach (Case; T.Types)
                    most = greatest(most, alignOf!Case);
            else
                static foreach (Field; typeof(T.tupleof))
                    most = greatest(most, alignOf!Field);
            return most;
        }
    }();
}

/// How much room a value takes.
template sizeOf(T)
{
    enum size_t sizeOf = () {
        static if (isPlain!T)
            return T.sizeof;
        else static if (is(T == Duration) || is(T == E[], E))
            return 8;
        else static if (isOptional!T)
            return aligned(payloadAt!T + sizeOf!(T.Of), alignOf!T);
        else
        {
            size_t size;
            static if (isSumType!T)
            {
                static foreach (Case; T.Types)
                    size = greatest(size, payloadAt!T + sizeOf!Case);
            }
            else
                static foreach (Field; typeof(T.tupleof))
                    size = aligned(size, alignOf!Field) + sizeOf!Field;
            return aligned(size, alignOf!T);
        }
    }();
}

/// Where, after the byte that tells the case, its value is.
private enum payloadAt(T) = alignOf!T;

/// Reads a value.
T lift(T)(const(ubyte)* at)
{
    static if (isPlain!T)
        return *cast(const T*) at;
    else static if (is(T == Duration))
        return Duration(*cast(const ulong*) at);
    else static if (is(T == string))
        return (*cast(immutable(char)**) at)[0 .. *cast(uint*)(at + 4)];
    else static if (is(T == E[], E))
    {
        auto items = allocate!(Unqual!E)(*cast(uint*)(at + 4));
        foreach (i, ref item; items)
            item = lift!(Unqual!E)(*cast(ubyte**) at + i * sizeOf!E);
        return items;
    }
    else static if (isOptional!T)
        return *at ? T(lift!(T.Of)(at + payloadAt!T)) : T();
    else static if (isSumType!T)
    {
        static foreach (i, Case; T.Types)
            if (*at == i)
                return T(lift!Case(at + payloadAt!T));
        assert(false);
    }
    else
    {
        T value;
        size_t offset;
        static foreach (i, Field; typeof(T.tupleof))
        {
            offset = aligned(offset, alignOf!Field);
            value.tupleof[i] = lift!(Unqual!Field)(at + offset);
            offset += sizeOf!Field;
        }
        return value;
    }
}

/// Writes a value, to memory that is zero.
void lower(T)(ubyte* at, const T value)
{
    static if (isPlain!T)
        *cast(Unqual!T*) at = value;
    else static if (is(T == Duration))
        *cast(ulong*) at = value.milliseconds;
    else static if (is(T == string))
        lowerList(at, value.ptr, value.length);
    else static if (is(T == E[], E))
    {
        auto items = take(value.length * sizeOf!E);
        items[0 .. value.length * sizeOf!E] = 0;
        foreach (i, ref item; value)
            lower!(Unqual!E)(items + i * sizeOf!E, item);
        lowerList(at, items, value.length);
    }
    else static if (isOptional!T)
    {
        *at = !value.isNull;
        if (value)
            lower(at + payloadAt!T, value.get);
    }
    else static if (isSumType!T)
        value.match!((ref one) {
            alias Case = Unqual!(typeof(one));
            *at = staticIndexOf!(Case, T.Types);
            lower!Case(at + payloadAt!T, one);
        });
    else
    {
        size_t offset;
        static foreach (i, Field; typeof(T.tupleof))
        {
            offset = aligned(offset, alignOf!Field);
            lower!(Unqual!Field)(at + offset, value.tupleof[i]);
            offset += sizeOf!Field;
        }
    }
}

private void lowerList(ubyte* at, const(void)* items, size_t length)
{
    *cast(const(void)**) at = items;
    *cast(uint*)(at + 4) = cast(uint) length;
}
