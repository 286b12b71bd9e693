/// Settings: a policy's fields are their names and defaults, and a JSON object gives them values.
module reprieve.settings;

import std.traits : getUDAs, Unqual;

import reprieve.abi : isOptional;
import reprieve.json;
import reprieve.optional;
import reprieve.situation : name;
import reprieve.text;

/// What a setting is about, in one line: `@about("How often it is tried again.") uint maxRetries = 3;`.
struct about
{
    string what;
}

/// Reads settings into a policy. Returns why they are refused; empty where they are not.
string refusalOf(T)(ref T policy, string json)
{
    auto reader = Reader(json);
    if (!reader.next('{'))
        return "the settings are no JSON object";
    for (bool first = true; !reader.next('}'); first = false)
    {
        string key;
        if ((!first && !reader.next(',')) || !reader.readText(key) || !reader.next(':'))
            return "the settings are no JSON object";
        const why = readField(policy, reader, key);
        if (why.length)
            return why;
    }
    static if (__traits(hasMember, T, "check"))
        return policy.check();
    else
        return "";
}

private string readField(T)(ref T policy, ref Reader reader, string key)
{
    string known;
    static foreach (i, Field; typeof(T.tupleof))
    {{
        const setting = spelt(__traits(identifier, T.tupleof[i]), '_');
        if (setting == key)
            return readValue(reader, policy.tupleof[i]) ? "" : refused(reader, key, expected!Field);
        known = text(known, i ? "`, `" : "", setting);
    }}
    return text("unknown setting `", key, "`, ", known.length ? text("expected one of `", known, "`") : "there are none");
}

private string refused(ref Reader reader, string key, string expected)
{
    return text("`", key, "`: `", reader.skipped, "`, expected ", expected);
}

/// What is right, in words.
private string expected(T)()
{
    static if (is(T == bool))
        return "true or false";
    else static if (is(T == uint))
        return "a whole number from 0 to 4294967295";
    else static if (is(T == double))
        return "a number, 0 or more";
    else static if (is(T == string))
        return "a text";
    else static if (isOptional!T)
        return text("null or ", expected!(T.Of));
    else static if (is(T == enum))
    {
        string names;
        static foreach (i, member; __traits(allMembers, T))
            names = text(names, i ? "`, `" : "", spelt(member, '-'));
        return text("one of `", names, "`");
    }
    else static if (is(T == E[], E))
        return text("a list, each ", expected!(typeof(T.init[0])));
    else
        static assert(false, "no setting is a " ~ T.stringof);
}

private bool readValue(T)(ref Reader reader, ref T value)
{
    reader.mark();
    static if (is(T == bool))
    {
        value = reader.word("true");
        return value || reader.word("false");
    }
    else static if (is(T == uint))
    {
        double number;
        if (!reader.readNumber(number) || number > uint.max || number != cast(uint) number)
            return false;
        value = cast(uint) number;
        return true;
    }
    else static if (is(T == double))
        return reader.readNumber(value);
    else static if (is(T == string))
        return reader.readText(value);
    else static if (isOptional!T)
    {
        T.Of there;
        if (reader.word("null"))
            value = T();
        else if (readValue(reader, there))
            value = T(there);
        else
            return false;
        return true;
    }
    else static if (is(T == enum))
    {
        string given;
        if (!reader.readText(given))
            return false;
        static foreach (member; __traits(allMembers, T))
            if (spelt(member, '-') == given)
            {
                value = __traits(getMember, T, member);
                return true;
            }
        return false;
    }
    else static if (is(T == E[], E))
    {
        const start = reader;
        auto items = allocate!(Unqual!E)(reader.items);
        reader = start;
        if (!reader.next('['))
            return false;
        foreach (i, ref item; items)
            if ((i && !reader.next(',')) || !readValue(reader, item))
                return false;
        value = items;
        return reader.next(']');
    }
}

/// A JSON Schema of a policy's settings; empty where it has none.
string schemaOf(T)()
{
    T policy;
    string properties;
    static foreach (i, Field; typeof(T.tupleof))
    {{
        enum told = getUDAs!(T.tupleof[i], about);
        string what;
        static if (told.length)
            what = text(`"description":`, quoted(told[0].what), `,`);
        properties = text(properties, i ? `,` : ``, quoted(spelt(__traits(identifier, T.tupleof[i]), '_')), `:{`, what,
                kind!Field, `,"default":`, json(policy.tupleof[i]), `}`);
    }}
    return properties.length ? text(`{"type":"object","additionalProperties":false,"properties":{`, properties, `}}`) : "";
}

private string kind(T)()
{
    static if (is(T == bool))
        return `"type":"boolean"`;
    else static if (is(T == uint))
        return `"type":"integer","minimum":0`;
    else static if (is(T == double))
        return `"type":"number","minimum":0`;
    else static if (is(T == string))
        return `"type":"string"`;
    else static if (isOptional!T)
        return text(`"anyOf":[{"type":"null"},{`, kind!(T.Of), `}]`);
    else static if (is(T == enum))
    {
        string names;
        static foreach (i, member; __traits(allMembers, T))
            names = text(names, i ? "," : "", quoted(spelt(member, '-')));
        return text(`"enum":[`, names, `]`);
    }
    else
        return text(`"type":"array","items":{`, kind!(typeof(T.init[0])), `}`);
}

private string json(T)(T value)
{
    static if (is(T == bool))
        return value ? "true" : "false";
    else static if (is(T == uint))
        return text(value);
    else static if (is(T == double))
        return decimal(value);
    else static if (is(T == string))
        return quoted(value);
    else static if (isOptional!T)
        return value ? json(value.get) : "null";
    else static if (is(T == enum))
        return quoted(value.name);
    else
    {
        string items;
        foreach (i, item; value)
            items = text(items, i ? "," : "", json(item));
        return text("[", items, "]");
    }
}

/// To a thousandth.
private string decimal(double value)
{
    const thousandths = cast(ulong)(value * 1000 + 0.5);
    auto digits = text(thousandths / 1000, ".", text(1000 + thousandths % 1000)[1 .. $]);
    while (digits[$ - 1] == '0')
        digits = digits[0 .. $ - 1];
    return digits[$ - 1] == '.' ? digits[0 .. $ - 1] : digits;
}

private string quoted(const(char)[] given)
{
    string written;
    foreach (i, letter; given)
        written = text(written, letter == '"' || letter == '\\' ? "\\" : "", given[i .. i + 1]);
    return text(`"`, written, `"`);
}

version (unittest)
{
    private enum Colour : ubyte
    {
        red,
        darkGreen,
    }

    private struct Every
    {
        @about(`How "often".`) uint maxRetries = 3;
        double waitSeconds = 1.5;
        bool on;
        string word = "a";
        Colour colour;
        Optional!uint limit;
        const(Colour)[] colours;
    }

    private string why(string json)
    {
        Every every;
        return refusalOf(every, json);
    }
}

unittest // settings are read by the names of fields
{
    Every every;
    const json = `{"max_retries": 7, "wait_seconds": 0.3, "on": true, "word": "\u0062\n", "colour": "dark-green",
        "limit": 2, "colours": ["red", "dark-green"]}`;
    assert(refusalOf(every, json) == "");
    assert(every.maxRetries == 7 && every.waitSeconds == 0.3 && every.on && every.word == "b\n");
    assert(every.colour == Colour.darkGreen && every.limit.get == 2 && every.colours == [Colour.red, Colour.darkGreen]);
    assert(why("{}") == "" && why(`{"limit": null, "colours": []}`) == "");
}

unittest // what is wrong is refused by name
{
    assert(why(`{"max_retris": 1}`)[0 .. 45] == "unknown setting `max_retris`, expected one of");
    assert(why(`{"max_retries": -1}`) == "`max_retries`: `-1`, expected a whole number from 0 to 4294967295");
    assert(why(`{"max_retries": 1.5}`).length && why(`{"max_retries": 4294967296}`).length && why(`[]`).length);
    assert(why(`{"wait_seconds": [1, "]"], "on": 1}`) == "`wait_seconds`: `[1, \"]\"]`, expected a number, 0 or more");
    assert(why(`{"colour": "blue"}`) == "`colour`: `\"blue\"`, expected one of `red`, `dark-green`");
    assert(why(`{"limit": false}`) == "`limit`: `false`, expected null or a whole number from 0 to 4294967295");
    assert(why(`{"colours": ["red", 1]}`).length);
}

unittest // the fields are the schema
{
    const schema = schemaOf!Every;
    const first = `{"type":"object","additionalProperties":false,"properties":{`
        ~ `"max_retries":{"description":"How \"often\".","type":"integer","minimum":0,"default":3},`
        ~ `"wait_seconds":{"type":"number","minimum":0,"default":1.5},`;
    assert(schema[0 .. first.length] == first);
}
