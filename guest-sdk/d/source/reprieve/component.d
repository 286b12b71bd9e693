/// What makes a component of a policy: the contract's exports, and what the compiler calls for there.
module reprieve.component;

import reprieve.text;

/// Who a policy is.
struct Info
{
    string name;
    string summary; /// One line for people.
    string release = "0.1.0";
}

/**
 * Once in a component: exports this policy, a struct with `enum info = Info(...)`, its settings as fields, and
 * `Decision decide(const Experiment, const Attempt[], const Progress)`,
 * `Plan plan(const Experiment, const Optional!Attempt)` (before an attempt, or after this one), or both.
 * `string check()` may refuse settings: it returns why, or an empty text.
 *
 * Outside WebAssembly it does nothing, so a policy's tests need no host.
 */
mixin template PolicyComponent(P)
{
    version (WebAssembly)
    {
        import component = reprieve.component;

        extern (C) @(component.exported!"guest@0.1.0#describe") ubyte* reprieve_describe()
        {
            return component.describe!P;
        }

        extern (C) @(component.exported!"guest@0.1.0#configure") ubyte* reprieve_configure(const(char)* json, size_t length)
        {
            return component.configure!P(cast(string) json[0 .. length]);
        }

        static if (__traits(hasMember, P, "decide"))
            extern (C) @(component.exported!"retry-policy@0.1.0#decide") ubyte* reprieve_decide(const(ubyte)* asked)
            {
                return component.decide!P(asked);
            }

        static if (__traits(hasMember, P, "plan"))
            extern (C) @(component.exported!"cleanup-policy@0.1.0#plan") ubyte* reprieve_plan(const(ubyte)* asked)
            {
                return component.plan!P(asked);
            }
    }
}

version (WebAssembly)
{
    import std.sumtype;

    import ldc.attributes : llvmAttr;
    import reprieve.abi;
    import reprieve.cleanup;
    import reprieve.decision;
    import reprieve.optional;
    import reprieve.runtime;
    import reprieve.settings;
    import reprieve.situation;

    enum exported(string name) = llvmAttr("wasm-export-name", "reprieve:policy/" ~ name);

    private template policy(P)
    {
        __gshared P policy;
    }

    private struct Described
    {
        string name, release, summary;
        Optional!string schema;
    }

    private struct Configured
    {
    }

    private struct Refused
    {
        string why;
    }

    private struct Question
    {
        Experiment experiment;
        const(Attempt)[] attempts;
        Progress progress;
    }

    private struct BeforeAttempt
    {
    }

    private struct AfterAttempt
    {
        Attempt attempt;
    }

    private struct Occasion
    {
        Experiment experiment;
        SumType!(BeforeAttempt, AfterAttempt) when;
    }

    ubyte* describe(P)()
    {
        const schema = schemaOf!P;
        const info = P.info;
        return answer(Described(info.name, info.release, info.summary, schema.length ? schema.optional : Optional!string()));
    }

    ubyte* configure(P)(string json)
    {
        alias Answer = SumType!(Configured, Refused);
        const why = refusalOf(policy!P, json);
        return answer(why.length ? Answer(Refused(why)) : Answer(Configured()));
    }

    ubyte* decide(P)(const(ubyte)* asked)
    {
        const question = lift!Question(asked);
        return answer!Decision(policy!P.decide(question.experiment, question.attempts, question.progress));
    }

    ubyte* plan(P)(const(ubyte)* asked)
    {
        const occasion = lift!Occasion(asked);
        const after = occasion.when.match!((const AfterAttempt after) => Optional!Attempt(after.attempt),
                (const BeforeAttempt _) => Optional!Attempt());
        return answer(policy!P.plan(occasion.experiment, after)[]);
    }

    private ubyte* answer(T)(const T value)
    {
        auto at = take(sizeOf!T);
        at[0 .. sizeOf!T] = 0;
        lower!T(at, value);
        return at;
    }

    private extern (C):

    @(llvmAttr("wasm-export-name", "cabi_realloc")) ubyte* reprieve_realloc(ubyte* old, size_t oldSize, size_t, size_t size)
    {
        auto fresh = take(size);
        memcpy(fresh, old, oldSize < size ? oldSize : size);
        return fresh;
    }
}
