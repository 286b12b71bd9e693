/// JSON, as far as settings need it. The host sends no text that is no JSON.
module reprieve.json;

import reprieve.text;

package struct Reader
{
    private string json;
    private size_t at, marked;

    this(string json)
    {
        this.json = json;
    }

    private void space()
    {
        while (at < json.length && json[at] <= ' ')
            at++;
    }

    /// Whether this letter comes next, and passes over it.
    bool next(char letter)
    {
        space();
        const is_ = at < json.length && json[at] == letter;
        at += is_;
        return is_;
    }

    /// Whether this word comes next, and passes over it.
    bool word(string word)
    {
        space();
        const is_ = json.length - at >= word.length && json[at .. at + word.length] == word;
        if (is_)
            at += word.length;
        return is_;
    }

    /// A value begins here.
    void mark()
    {
        space();
        marked = at;
    }

    /// The value that began at the mark.
    string skipped()
    {
        at = marked;
        skip();
        return json[marked .. at];
    }

    /// How many items the list has that begins here.
    size_t items()
    {
        size_t count;
        if (next('[') && !next(']'))
            do
            {
                skip();
                count++;
            }
            while (next(','));
        return count;
    }

    private void skip()
    {
        int depth;
        bool quoted;
        for (space(); at < json.length; at++)
        {
            const letter = json[at];
            if (quoted)
            {
                at += letter == '\\';
                quoted = letter != '"';
            }
            else if (depth == 0 && (letter == ',' || letter == ']' || letter == '}'))
                return;
            else
            {
                quoted = letter == '"';
                depth += (letter == '[' || letter == '{') - (letter == ']' || letter == '}');
            }
        }
    }

    /// Reads a number from 0.
    bool readNumber(ref double number)
    {
        space();
        const start = at;
        ulong digits;
        int exponent;
        bool fraction;
        for (; at < json.length && (isDigit || (json[at] == '.' && !fraction)); at++)
        {
            if (json[at] == '.')
                fraction = true;
            else if (digits < ulong.max / 10 - 1)
            {
                digits = 10 * digits + (json[at] - '0');
                exponent -= fraction;
            }
            else
                exponent += !fraction;
        }
        if (at == start)
            return false;
        if (at < json.length && (json[at] | 32) == 'e')
        {
            at++;
            const negative = at < json.length && json[at] == '-';
            at += at < json.length && (json[at] == '-' || json[at] == '+');
            int given;
            for (; at < json.length && isDigit; at++)
                if (given < 1000)
                    given = 10 * given + (json[at] - '0');
            exponent += negative ? -given : given;
        }
        double scale = 1;
        foreach (_; 0 .. exponent < 0 ? -exponent : exponent)
            scale *= 10;
        number = exponent < 0 ? digits / scale : digits * scale;
        return true;
    }

    private bool isDigit() const
    {
        return json[at] >= '0' && json[at] <= '9';
    }

    /// Reads a text.
    bool readText(ref string text)
    {
        if (!next('"'))
            return false;
        auto letters = allocate!char(json.length - at);
        size_t length;
        while (at < json.length && json[at] != '"')
        {
            if (json[at] == '\\')
                length += unescaped(letters[length .. $]);
            else
                letters[length++] = json[at++];
        }
        text = cast(string) letters[0 .. length];
        return next('"');
    }

    private size_t unescaped(char[] into)
    {
        const letter = json[at + 1];
        at += 2;
        switch (letter)
        {
        case 'n':
            into[0] = '\n';
            return 1;
        case 't':
            into[0] = '\t';
            return 1;
        case 'r':
            into[0] = '\r';
            return 1;
        case 'u':
            return encode(into, hex());
        default:
            into[0] = letter;
            return 1;
        }
    }

    private uint hex()
    {
        uint code;
        foreach (digit; json[at .. at + 4])
            code = code * 16 + (digit <= '9' ? digit - '0' : (digit | 32) - 'a' + 10);
        at += 4;
        return code;
    }

    /// Writes a letter as UTF-8. One beyond 16 bits is two escapes.
    private size_t encode(char[] into, uint code)
    {
        if (code >= 0xd800 && code < 0xdc00 && json[at] == '\\')
        {
            at += 2;
            code = 0x10000 + ((code - 0xd800) << 10) + (hex() - 0xdc00);
        }
        const more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
        immutable ubyte[4] leads = [0, 0xc0, 0xe0, 0xf0];
        into[0] = cast(char)(leads[more] | (code >> 6 * more));
        foreach (i; 1 .. more + 1)
            into[i] = cast(char)(0x80 | ((code >> 6 * (more - i)) & 0x3f));
        return more + 1;
    }
}

unittest
{
    string text;
    assert(Reader(`"a\"\u00fc\ud83d\ude00b"`).readText(text) && text == "a\"ü😀b");
    double number;
    assert(Reader(`1.7`).readNumber(number) && number == 1.7 && Reader(`25e-1`).readNumber(number) && number == 2.5);
    assert(!Reader(`-1`).readNumber(number) && Reader(`[[1, 2], "],", {}]`).items == 3);
}
