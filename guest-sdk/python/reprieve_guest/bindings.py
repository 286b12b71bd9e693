"""Between the generated bindings of the contract and this package's types."""

import functools
import os
import sys
import traceback
from datetime import timedelta

from componentize_py_types import Err
from wit_world.exports import guest

from . import cleanup, decisions
from .situation import (
    Attempt,
    Attempts,
    DeviceFault,
    DeviceMemoryUse,
    Experiment,
    Failure,
    FailureClass,
    Progress,
    SelfReport,
    Stage,
)

_CLASSES, _STAGES = list(FailureClass), list(Stage)


def _told(method):
    """Has an exception told in its author's terms: the host keeps what is last written."""

    @functools.wraps(method)
    def telling(*arguments):
        try:
            return method(*arguments)
        except Err:
            raise
        except Exception as error:
            traceback.print_exc()
            frames = traceback.extract_tb(error.__traceback__)
            # Neither this package's, nor what a dataclass generates, `<string>`.
            others = (os.path.dirname(__file__), "")
            own = [frame for frame in frames if os.path.dirname(frame.filename) not in others]
            where = f", in {os.path.basename(own[-1].filename)}, line {own[-1].lineno}" if own else ""
            print(f"{type(error).__name__}: {error}{where}", file=sys.stderr, flush=True)
            os._exit(1)

    return telling


def exports_of(policy):
    """The classes that componentize-py looks for."""
    configured = []

    class Guest:
        @_told
        def describe(self):
            summary = (policy.__doc__ or "").strip().partition("\n")[0]
            return guest.Info(policy.name or policy.__name__, policy.version, summary, policy.schema())

        @_told
        def configure(self, settings):
            try:
                configured.append(policy.configured(settings))
            except ValueError as error:
                raise Err(str(error)) from error

    class RetryPolicy:
        @_told
        def decide(self, experiment, attempts, progress):
            told = Attempts(_attempt(attempt) for attempt in attempts)
            return _decision(configured[-1].decide(_experiment(experiment), told, _progress(progress)))

    class CleanupPolicy:
        @_told
        def plan(self, experiment, occasion):
            after = getattr(occasion, "value", None)
            steps = configured[-1].plan(_experiment(experiment), after and _attempt(after))
            return [_step(step) for step in steps]

    return Guest, RetryPolicy, CleanupPolicy


def _span(ms):
    return timedelta(milliseconds=ms)


def _ms(span):
    if span < timedelta():
        raise ValueError(f"`{span.total_seconds()}` s is no span of time, expected 0 or more")
    return min((1 << 64) - 1, span // timedelta(milliseconds=1))


def _pairs(parameters):
    return {parameter.name: parameter.value for parameter in parameters}


def _experiment(told):
    return Experiment(
        name=told.name,
        parameters=_pairs(told.parameters),
        adjustable=tuple(told.adjustable),
        labels=_pairs(told.labels),
        devices=told.devices,
        seed=told.seed,
    )


def _progress(told):
    return Progress(
        succeeded=told.succeeded,
        failed=told.failed,
        remaining=told.remaining,
        retries=told.retries,
        failed_in_a_row=told.failed_in_a_row,
        elapsed=_span(told.elapsed),
    )


def _attempt(told):
    failure, report = told.failure, told.self_report
    return Attempt(
        number=told.number,
        stage=_STAGES[told.stage.value],
        ending=told.ending,
        failure=failure and Failure(_CLASSES[failure.class_.value], failure.evidence),
        waited_for=_span(told.waited_for),
        ran_for=_span(told.ran_for),
        stderr_tail=told.stderr_tail,
        stdout_tail=told.stdout_tail,
        self_report=report and SelfReport(report.retryable, report.kind, report.message),
        faults=tuple(DeviceFault(fault.device, fault.xid) for fault in told.faults),
        memory=tuple(DeviceMemoryUse(use.device, use.baseline, use.peak, use.residual) for use in told.memory),
        foreign_processes=told.foreign_processes,
        throttled_for=_span(told.throttled_for),
        facts=_pairs(told.facts),
    )


def _decision(decision):
    from wit_world.exports import retry_policy as wit
    from wit_world.imports import types

    if isinstance(decision, decisions.Accept):
        return wit.Decision_Accept()
    if isinstance(decision, decisions.GiveUp):
        return wit.Decision_GiveUp(decision.reason)
    if isinstance(decision, decisions.StopStudy):
        return wit.Decision_StopStudy(decision.reason)
    if not isinstance(decision, decisions.Retry):
        raise TypeError(f"`decide` returned {decision!r}, which is no decision")
    overrides = [types.Parameter(name, str(value)) for name, value in decision.overrides.items()]
    placement, turn = wit.Placement(decision.placement.value), wit.Turn(decision.turn.value)
    return wit.Decision_Retry(wit.Retry(_ms(decision.after), placement, turn, overrides, decision.reason))


def _step(step):
    from wit_world.imports import gpu_cleanup as wit

    action = step.action
    kind = type(action).__name__
    case = getattr(wit, f"Action_{kind}")
    if isinstance(action, cleanup.EndLeftovers):
        made = case(_ms(action.grace))
    elif isinstance(action, cleanup.Pause):
        made = case(_ms(action.time))
    elif isinstance(action, cleanup.RunHook):
        made = case(action.name)
    elif isinstance(action, cleanup.AwaitMemory):
        made = case(wit.MemoryGoal(action.tolerance, _ms(action.timeout)))
    elif isinstance(action, cleanup.AwaitTemperature):
        made = case(wit.TemperatureGoal(action.at_most, _ms(action.timeout)))
    elif isinstance(action, cleanup.AwaitIdle):
        made = case(wit.IdleGoal(action.at_most, _ms(action.timeout)))
    elif isinstance(action, cleanup.Probe):
        made = case(wit.ProbeGoal(action.allocate, _ms(action.timeout)))
    else:
        made = case()
    return wit.Step(made, wit.Consequence(step.if_it_fails))
