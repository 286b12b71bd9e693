/// A value that may be missing, by the names of `std.typecons.Nullable`, which needs more of D than there is.
module reprieve.optional;

struct Optional(T)
{
    package alias Of = T;
    private T value;
    private bool present;

    this(T value)
    {
        this.value = value;
        present = true;
    }

    bool isNull() const
    {
        return !present;
    }

    /// The value, which must be there.
    inout(T) get() inout
    {
        assert(present);
        return value;
    }

    /// The value, or else this one.
    T get(T otherwise) const
    {
        return present ? cast(T) value : otherwise;
    }

    bool opCast(B : bool)() const
    {
        return present;
    }
}

/// A value that is there.
Optional!T optional(T)(T value)
{
    return Optional!T(value);
}
