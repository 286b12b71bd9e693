## Write a Reprieve policy in Nim: what follows a failed GPU experiment.
##
## A policy is an object with `decide`, with `plan`, or with both; its fields
## are its settings. It remembers nothing between calls, and does no work: it
## answers, and the host waits, places and cleans.

import std/[options, times]
import reprieve/[backoff, cleanup, component, decisions, devices, settings, situation]

export options
export Duration, initDuration, inMilliseconds, `<`, `<=`, `==`, `+`, `-`
export backoff, cleanup, component, decisions, devices, settings, situation
