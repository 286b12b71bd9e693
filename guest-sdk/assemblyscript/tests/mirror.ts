// Says again all that it is told, and has done all that can be done. A test of
// the host's holds it to that, so that every field is known to be in its place.

import {
  Attempt, Decision, devices, Experiment, FAILURE_CLASSES, Outcome, perform, policy, Policy, Progress,
  readDevice, Step,
} from "reprieve-assemblyscript/assembly";

export * from "reprieve-assemblyscript/assembly/both";

const ERRORS = ["unavailable", "no-such-device", "not-supported", "device-lost", "transient", "other"];

function pairs(told: Map<string, string>): string {
  let said = "";
  const names = told.keys();
  for (let i = 0; i < names.length; i++) said += ` ${names[i]}=${told.get(names[i])}`;
  return said;
}

function ofAttempt(told: Attempt): string {
  const code = told.ending < 2 ? told.code.toString() : told.notStarted;
  const failure = told.failure;
  const failed = failure ? `${FAILURE_CLASSES.indexOf(failure.cause)} ${failure.evidence}` : "-";
  const report = told.selfReport;
  const said = report ? `${i32(report.said && report.retryable)} ${report.kind} \`${report.message}\`` : "-";
  let text = ` / ${told.number} of ${told.stage}: ${told.ending} ${code}, failed ${failed}, waited ${told.waitedForMs}`;
  text += ` ran ${told.ranForMs}, \`${told.stderrTail}\` \`${told.stdoutTail}\`, said ${said}, faults`;
  for (let i = 0; i < told.faults.length; i++) text += ` ${told.faults[i].device}:${told.faults[i].xid}`;
  text += ", memory";
  for (let i = 0; i < told.memory.length; i++) {
    const use = told.memory[i];
    text += ` ${use.device}:${use.baseline}:${use.peak}:${use.residual}`;
  }
  return `${text}, ${told.foreignProcesses} others, ${told.throttledForMs} slow, knows${pairs(told.facts)}`;
}

function ofDevices(): string {
  const s = readDevice(0);
  const power = s.powerMilliwatts < 0 ? "-" : s.powerMilliwatts.toString();
  const memory = `${s.memoryTotal} ${s.memoryUsed} ${s.memoryBaseline}`;
  const rest = `${s.throttled} ${s.uncorrectedErrors} ${s.recovery}, ${s.processes}`;
  const error = ERRORS.indexOf(readDevice(1).error);
  return ` / ${devices()} devices: ${s.uuid} ${s.name} ${memory}, ${s.temperatureCelsius} ${power} ${s.utilizationPercent} ${rest}; error ${error}`;
}

class Mirror extends Policy {
  name: string = "mirror";

  decide(experiment: Experiment, attempts: Attempt[], p: Progress): Decision {
    let said = `${experiment.name}${pairs(experiment.parameters)} can ${experiment.adjustable.join(" ")}`;
    said += ` by${pairs(experiment.labels)} on ${experiment.devices}, ${experiment.seed}`;
    for (let i = 0; i < attempts.length; i++) said += ofAttempt(attempts[i]);
    said += ` / ${p.succeeded} ${p.failed} ${p.remaining} ${p.retries} ${p.failedInARow} ${p.elapsedMs}`;
    return Decision.retry(attempts[attempts.length - 1].waitedForMs, said + ofDevices());
  }

  plan(experiment: Experiment, after: Attempt | null): Step[] {
    if (!after) return [];
    const steps = [
      Step.endLeftovers(1),
      Step.removeSharedMemory().orQuarantine(),
      Step.synchronize().orStop(),
      Step.releaseCachedMemory(),
      Step.resetContexts(),
      Step.awaitMemory(5_000_000_000, 6),
      Step.awaitTemperature(45, 7),
      Step.awaitIdle(8, 9),
      Step.probe(10, 11),
      Step.pause(12),
      Step.runHook("haken ü"),
    ];
    let said = `after ${after.number}:`;
    for (let i = 0; i < 11; i++) {
      const report = perform(steps[i]);
      if (report.outcome == Outcome.Refused) {
        said += " refused " + report.why;
        continue;
      }
      const why = report.why == "" ? "" : " " + report.why;
      said += ` ${report.outcome}${why} ${report.tookMs} ${report.releasedBytes}`;
    }
    steps.push(Step.runHook(said));
    return steps;
  }
}

policy(new Mirror());
