#include <assert.h>

#include "two_strikes.c"

int main(void)
{
    rp_attempt network = rp_failed(RP_NETWORK, RP_TEXT("connection reset"));
    rp_attempt attempts[] = {network, network, network};
    rp_experiment experiment = {.seed = 7};
    rp_progress progress = {0};

    rp_decision second = decide(&experiment, (rp_attempts){attempts, 2}, &progress);
    assert(second.kind == RP_RETRY && second.retry.delay_ms <= 2000);

    rp_decision third = decide(&experiment, (rp_attempts){attempts, 3}, &progress);
    assert(third.kind == RP_GIVE_UP && rp_equal(third.reason, RP_TEXT("connection reset")));

    rp_attempt memory = rp_failed(RP_DEVICE_MEMORY, RP_TEXT("out of memory"));
    rp_parameter batch = {RP_TEXT("batch"), RP_TEXT("8")};
    rp_experiment adjustable = {.parameters = {&batch, 1}, .adjustable = {&batch.name, 1}};
    rp_decision half = decide(&adjustable, (rp_attempts){&memory, 1}, &progress);
    assert(half.kind == RP_RETRY && rp_equal(*rp_find(half.retry.overrides, "batch"), RP_TEXT("4")));
}
