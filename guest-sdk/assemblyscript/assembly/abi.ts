// Moves the contract's values in and out of memory, by the component model's
// canonical ABI.

import { Step } from "./cleanup";
import { Decision, DecisionKind } from "./decision";
import { allocate, putText, textAt } from "./memory";
import { exported } from "./policy";
import { Settings } from "./settings";
import {
  Attempt, DeviceFault, DeviceMemoryUse, Experiment, Failure, FAILURE_CLASSES, Progress, SelfReport,
} from "./situation";

export function realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  const fresh = allocate(size);
  memory.copy(fresh, old, oldSize);
  return fresh;
}

function pairsAt(at: usize): Map<string, string> {
  const pairs = new Map<string, string>();
  const items = load<u32>(at), count = load<u32>(at, 4);
  for (let i: u32 = 0; i < count; i++) pairs.set(textAt(items + i * 16), textAt(items + i * 16 + 8));
  return pairs;
}

function experimentAt(at: usize): Experiment {
  const experiment = new Experiment();
  experiment.name = textAt(at);
  experiment.parameters = pairsAt(at + 8);
  const names = load<u32>(at, 16), count = load<u32>(at, 20);
  for (let i: u32 = 0; i < count; i++) experiment.adjustable.push(textAt(names + i * 8));
  experiment.labels = pairsAt(at + 24);
  experiment.devices = load<u32>(at, 32);
  experiment.seed = load<u64>(at, 40);
  return experiment;
}

function attemptAt(at: usize): Attempt {
  const attempt = new Attempt();
  attempt.number = load<u32>(at);
  attempt.stage = load<u8>(at, 4);
  attempt.ending = load<u8>(at, 8);
  if (attempt.ending < 2) attempt.code = load<i32>(at, 12);
  if (attempt.ending == 4) attempt.notStarted = textAt(at + 12);
  if (load<u8>(at, 20)) attempt.failure = new Failure(FAILURE_CLASSES[load<u8>(at, 24)], textAt(at + 28));
  attempt.waitedForMs = load<u64>(at, 40);
  attempt.ranForMs = load<u64>(at, 48);
  attempt.stderrTail = textAt(at + 56);
  attempt.stdoutTail = textAt(at + 64);
  if (load<u8>(at, 72)) {
    const said = load<u8>(at, 76) != 0;
    attempt.selfReport = new SelfReport(said, said && load<u8>(at, 77) != 0, textAt(at + 80), textAt(at + 88));
  }
  const faults = load<u32>(at, 96), faultCount = load<u32>(at, 100);
  for (let i: u32 = 0; i < faultCount; i++) {
    attempt.faults.push(new DeviceFault(load<u32>(faults + i * 16), load<u64>(faults + i * 16, 8)));
  }
  const uses = load<u32>(at, 104), useCount = load<u32>(at, 108);
  for (let i: u32 = 0; i < useCount; i++) {
    const use = uses + i * 32;
    attempt.memory.push(new DeviceMemoryUse(load<u32>(use), load<u64>(use, 8), load<u64>(use, 16), load<u64>(use, 24)));
  }
  attempt.foreignProcesses = load<u32>(at, 112);
  attempt.throttledForMs = load<u64>(at, 120);
  attempt.facts = pairsAt(at + 128);
  return attempt;
}

function progressAt(at: usize): Progress {
  const progress = new Progress();
  progress.succeeded = load<u32>(at);
  progress.failed = load<u32>(at, 4);
  progress.remaining = load<u32>(at, 8);
  progress.retries = load<u32>(at, 12);
  progress.failedInARow = load<u32>(at, 16);
  progress.elapsedMs = load<u64>(at, 24);
  return progress;
}

export function describe(): usize {
  const answer = allocate(36);
  putText(answer, exported.name);
  putText(answer + 8, exported.version);
  putText(answer + 16, exported.summary);
  const asked = new Settings("{}");
  exported.configure(asked);
  const schema = asked.schema;
  if (schema) {
    store<u8>(answer, 1, 24);
    putText(answer + 28, schema);
  }
  return answer;
}

export function configure(text: usize, length: usize): usize {
  const settings = new Settings(String.UTF8.decodeUnsafe(text, length));
  exported.configure(settings);
  const answer = allocate(12);
  if (settings.refusal != "") {
    store<u8>(answer, 1);
    putText(answer + 4, settings.refusal);
  }
  return answer;
}

export function decide(at: usize): usize {
  const attempts: Attempt[] = [];
  const items = load<u32>(at, 48), count = load<u32>(at, 52);
  for (let i: u32 = 0; i < count; i++) attempts.push(attemptAt(items + i * 136));
  return putDecision(exported.decide(experimentAt(at), attempts, progressAt(at + 56)));
}

function putDecision(decision: Decision): usize {
  const answer = allocate(40);
  store<u8>(answer, decision.kind);
  if (decision.kind != DecisionKind.Retry) {
    putText(answer + 8, decision.reason);
    return answer;
  }
  store<u64>(answer, decision.afterMs, 8);
  store<u8>(answer, decision.placement, 16);
  store<u8>(answer, decision.turn, 17);
  const names = decision.overrides.keys();
  const items = allocate(names.length * 16);
  for (let i = 0; i < names.length; i++) {
    putText(items + i * 16, names[i]);
    putText(items + i * 16 + 8, decision.overrides.get(names[i]));
  }
  store<u32>(answer, u32(items), 20);
  store<u32>(answer, names.length, 24);
  putText(answer + 28, decision.reason);
  return answer;
}

export function plan(at: usize): usize {
  const after = load<u8>(at, 48) ? attemptAt(at + 56) : null;
  const steps = exported.plan(experimentAt(at), after);
  const items = allocate(steps.length * 32);
  for (let i = 0; i < steps.length; i++) putStep(items + i * 32, steps[i]);
  const answer = allocate(8);
  store<u32>(answer, u32(items));
  store<u32>(answer, steps.length, 4);
  return answer;
}

function putStep(at: usize, step: Step): void {
  store<u8>(at, step.kind);
  store<u64>(at, step.first, 8);
  store<u64>(at, step.second, 16);
  if (step.kind == 10) putText(at + 8, step.text);
  store<u8>(at, step.ifItFails, 24);
}
