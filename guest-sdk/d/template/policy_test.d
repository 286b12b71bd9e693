/// A policy is a plain struct: it is tested without a host, a GPU, or WebAssembly.
module policy_test;

import reprieve;

import policy;

private Decision decide(const Attempt[] attempts, string batch = "64")
{
    return MyPolicy().decide(Experiment("", [Parameter("batch", batch)], ["batch"], [], 1, 7), attempts, Progress());
}

private enum FailureClass network = FailureClass.network;

unittest // a success is accepted
{
    assert(decide([Attempt()]) == Decision(Accept()));
}

unittest // the network gets three more chances
{
    import std.range : array, repeat;

    const attempt = Attempt.failed(network, "connection reset");
    const first = decide([attempt]).retried.delay;
    assert(first >= 15.seconds && first <= 30.seconds);
    assert(decide(attempt.repeat(4).array) == Decision(GiveUp("connection reset")));
}

unittest // a service that asks for time gets it
{
    const attempt = Attempt.failed(FailureClass.rateLimited, "429, retry after 90 seconds");
    assert(decide([attempt]).retried.delay == 90.seconds);
}

unittest // the batch is halved while that can be done
{
    const short_ = [Attempt.failed(FailureClass.deviceMemory, "out of memory")];
    assert(decide(short_).retried.overrides == [Parameter("batch", "32")]);
    assert(decide(short_, "1") == Decision(GiveUp("out of memory")));
}

unittest // what the experiment says itself goes first
{
    auto attempt = Attempt.failed(network, "401 from the mirror");
    attempt.selfReport = SelfReport(false.optional, "LicenceError").optional;
    assert(decide([attempt]) == Decision(GiveUp("401 from the mirror")));
    attempt = Attempt.failed(FailureClass.configuration, "no such file");
    attempt.selfReport = SelfReport(true.optional, "NotYetThere").optional;
    assert(decide([attempt]).retried.reason == "can pass: no such file");
}

unittest // settings that make no sense are refused
{
    MyPolicy policy;
    assert(refusalOf(policy, `{"max_retries": 5}`) == "" && policy.maxRetries == 5);
    assert(refusalOf(policy, `{"smallest_batch": 0}`) == "`smallest_batch`: `0`, expected 1 or more");
    assert(refusalOf(policy, `{"delay_seconds": -1}`) == "`delay_seconds`: `-1`, expected a number, 0 or more");
    assert(refusalOf(policy, `{"max_retries": -1}`) == "`max_retries`: `-1`, expected a whole number from 0 to 4294967295");
}

private Retry retried(Decision decision)
{
    import std.sumtype : match;

    return decision.match!((Retry retry) => retry, (_) => assert(false, "it is not tried again"));
}
