/**
 * Write a Reprieve policy in D: what follows a failed GPU experiment.
 *
 * A policy is a struct with `decide`, with `plan`, or with both; its fields are
 * its settings. It remembers nothing between calls, and does no work: it
 * answers, and the host waits, places and cleans.
 *
 * Of D there is what `-betterC` leaves: no garbage collector, no exceptions,
 * no classes. `std.range`, `std.algorithm` and `std.sumtype` are there.
 */
module reprieve;

public import reprieve.backoff;
public import reprieve.cleanup;
public import reprieve.component;
public import reprieve.decision;
public import reprieve.devices;
public import reprieve.optional;
public import reprieve.settings : about, refusalOf;
public import reprieve.situation;
public import reprieve.text : text;
public import reprieve.time;
