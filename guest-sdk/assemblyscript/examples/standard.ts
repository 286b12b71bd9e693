// The standard policy's behaviour, in AssemblyScript: it must decide as the built-in one does.

import {
  Attempt, Backoff, Decision, Experiment, Failure, FAILURE_CLASSES, failuresOf, Jitter, milliseconds, policy, Policy,
  Progress, SelfReport, Settings, Stage, Step,
} from "reprieve-assemblyscript/assembly";

export * from "reprieve-assemblyscript/assembly/both";

/** Whether something is worth a retry, why, and whether only once. */
class Verdict {
  constructor(public worth: bool, public why: string, public once: bool = false) {}
}

class Standard extends Policy {
  name: string = "standard";
  summary: string = "Retries failures that can pass, with growing waits; gives up on the rest";

  maxRetries: u32 = 3;
  delaySeconds: f64 = 1;
  backoffFactor: f64 = 2;
  maxDelaySeconds: f64 = 3600;
  jitter: string = Jitter.None;
  retry: string[] = ["network", "rate-limited", "driver-transient", "communication", "device-occupied"];
  retryOnce: string[] = ["hang", "crash", "device-program", "unknown"];
  /** -1 is no limit. */
  retriesInStudy: i64 = -1;
  /** -1 is never. */
  stopAfterFailuresInARow: i64 = -1;
  leftoversGraceSeconds: f64 = 10;
  removeSharedMemory: bool = true;
  memoryToleranceMib: u32 = 64;
  memoryTimeoutSeconds: f64 = 120;
  /** -1 is not at all. */
  coolDownToCelsius: i64 = -1;
  coolDownTimeoutSeconds: f64 = 600;

  configure(settings: Settings): void {
    this.maxRetries = settings.whole("max_retries", this.maxRetries);
    this.delaySeconds = settings.number("delay_seconds", this.delaySeconds);
    this.backoffFactor = settings.number("backoff_factor", this.backoffFactor);
    this.maxDelaySeconds = settings.number("max_delay_seconds", this.maxDelaySeconds);
    this.jitter = settings.word("jitter", this.jitter, Jitter.all);
    this.retry = settings.words("retry", this.retry, FAILURE_CLASSES);
    this.retryOnce = settings.words("retry_once", this.retryOnce, FAILURE_CLASSES);
    this.retriesInStudy = settings.wholeOrNone("retries_in_study");
    this.stopAfterFailuresInARow = settings.wholeOrNone("stop_after_failures_in_a_row");
    if (this.stopAfterFailuresInARow == 0) settings.refuse("`stop_after_failures_in_a_row`: expected 1 or more");
    this.leftoversGraceSeconds = settings.number("leftovers_grace_seconds", this.leftoversGraceSeconds);
    this.removeSharedMemory = settings.flag("remove_shared_memory", this.removeSharedMemory);
    this.memoryToleranceMib = settings.whole("memory_tolerance_mib", this.memoryToleranceMib);
    this.memoryTimeoutSeconds = settings.number("memory_timeout_seconds", this.memoryTimeoutSeconds);
    this.coolDownToCelsius = settings.wholeOrNone("cool_down_to_celsius");
    this.coolDownTimeoutSeconds = settings.number("cool_down_timeout_seconds", this.coolDownTimeoutSeconds);
  }

  decide(experiment: Experiment, attempts: Attempt[], progress: Progress): Decision {
    const attempt = attempts[attempts.length - 1];
    const failure = attempt.failure;
    if (!failure) return Decision.accept();
    const verdict = this.worthRetrying(attempts, failure, progress);
    if (verdict.worth) return Decision.retry(this.delayMs(experiment, attempts, failure), verdict.why);
    const inARow = i64(progress.failedInARow) + 1, most = this.stopAfterFailuresInARow;
    if (most >= 0 && inARow >= most && attempt.stage != Stage.Finish) {
      return Decision.stopStudy(`experiments that failed in a row: ${inARow}; the last: ${verdict.why}`);
    }
    return Decision.giveUp(verdict.why);
  }

  private worthRetrying(attempts: Attempt[], failure: Failure, progress: Progress): Verdict {
    const verdict = this.canPass(attempts, failure);
    if (!verdict.worth) return verdict;
    const failed = failure.cause + " failure";
    if (u32(attempts.length) > this.maxRetries) {
      return new Verdict(false, tell(`gave up after ${count(attempts)}: ${failed}`, failure.evidence));
    }
    if (this.retriesInStudy >= 0 && i64(progress.retries) >= this.retriesInStudy) {
      return new Verdict(false, tell(`the study's ${this.retriesInStudy} retries are used up: ${failed}`, failure.evidence));
    }
    if (!verdict.once) verdict.why = `${verdict.why}; retry ${attempts.length} of ${this.maxRetries}`;
    return verdict;
  }

  private canPass(attempts: Attempt[], failure: Failure): Verdict {
    const cause = failure.cause;
    const report = attempts[attempts.length - 1].selfReport;
    if (report && report.said) {
      const verdict = report.retryable ? "worth retrying" : "final";
      return new Verdict(report.retryable, tell(`the experiment called its ${cause} failure ${verdict}`, words(report, failure)));
    }
    if (this.retry.includes(cause)) return new Verdict(true, tell(`${cause} failure can pass`, failure.evidence));
    if (!this.retryOnce.includes(cause)) {
      return new Verdict(false, tell(`${cause} failures do not pass by themselves`, failure.evidence));
    }
    if (failuresOf(attempts, cause) == 1) {
      return new Verdict(true, tell(`${cause} failures are retried once`, failure.evidence), true);
    }
    return new Verdict(false, tell(`gave up after ${count(attempts)}: ${cause} failure again`, failure.evidence));
  }

  /** The backoff's wait, or what a service asked for where that is more, within the cap. */
  private delayMs(experiment: Experiment, attempts: Attempt[], failure: Failure): u64 {
    const waits = new Backoff(this.delaySeconds, this.backoffFactor).capped(this.maxDelaySeconds);
    const wait = waits.jittered(this.jitter, experiment.seed).waitAfterMs(attempts);
    const asked = failure.cause == "rate-limited" ? attempts[attempts.length - 1].askedToWaitMs() : -1;
    return asked < 0 ? wait : min(milliseconds(this.maxDelaySeconds), max(wait, u64(asked)));
  }

  plan(experiment: Experiment, after: Attempt | null): Step[] {
    if (!after) return [];
    const steps = [Step.endLeftovers(milliseconds(this.leftoversGraceSeconds))];
    if (this.removeSharedMemory) steps.push(Step.removeSharedMemory());
    steps.push(Step.releaseCachedMemory());
    const tolerance = u64(this.memoryToleranceMib) << 20;
    steps.push(Step.awaitMemory(tolerance, milliseconds(this.memoryTimeoutSeconds)).orQuarantine());
    if (this.coolDownToCelsius >= 0) {
      steps.push(Step.awaitTemperature(u32(this.coolDownToCelsius), milliseconds(this.coolDownTimeoutSeconds)));
    }
    return steps;
  }
}

/** Puts the evidence after what is said of it, where there is evidence. */
function tell(what: string, evidence: string): string {
  return evidence == "" ? what : `${what}: ${evidence}`;
}

/** The experiment's own words for its failure, or else the host's. */
function words(report: SelfReport, failure: Failure): string {
  if (report.message != "") return report.message;
  return report.kind != "" ? report.kind : failure.evidence;
}

function count(attempts: Attempt[]): string {
  return attempts.length == 1 ? "1 attempt" : `${attempts.length} attempts`;
}

policy(new Standard());
