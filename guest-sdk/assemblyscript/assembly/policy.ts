// What a policy author implements.

import { Step } from "./cleanup";
import { Decision } from "./decision";
import { Settings } from "./settings";
import { Attempt, Experiment, Progress } from "./situation";

/** A policy. Everything has a default: it accepts successes, gives up on failures, and plans no cleanup. */
export class Policy {
  name: string = "";
  version: string = "0.1.0";
  /** One line for people. */
  summary: string = "";

  /**
   * Reads the settings, by asking for each with its default, the same ones each time: a setting that is never asked for
   * is refused, and what is asked for is the schema.
   */
  configure(settings: Settings): void {}

  /** Judges the newest attempt, the last of `attempts`. Successes are judged too. */
  decide(experiment: Experiment, attempts: Attempt[], progress: Progress): Decision {
    const failure = attempts[attempts.length - 1].failure;
    return failure ? Decision.giveUp(failure.evidence) : Decision.accept();
  }

  /** Returns the steps to run, in order: after this attempt, or before one where it is null. */
  plan(experiment: Experiment, after: Attempt | null): Step[] {
    return [];
  }
}

/** The component's policy. */
export let exported: Policy = new Policy();

/** Makes this policy the component's. */
export function export_(policy: Policy): void {
  exported = policy;
}
