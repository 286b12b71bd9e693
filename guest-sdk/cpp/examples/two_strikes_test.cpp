#include <cassert>

#include "two_strikes.cpp"

int main()
{
    const std::vector three(3, Attempt::failed(FailureClass::network, "connection reset"));
    const Decision third = TwoStrikes{}.decide({}, {three}, {});
    assert(third == Decision(GiveUp{"connection reset"}));

    const std::vector memory(1, Attempt::failed(FailureClass::device_memory, "out of memory"));
    const Decision half = TwoStrikes{}.decide(Experiment::adjustable("batch", "8"), {memory}, {});
    assert(half == Decision(Retry{.reason = "half the batch needs less", .overrides = {{"batch", "4"}}}));
}
