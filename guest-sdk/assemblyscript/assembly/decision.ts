// What follows an attempt.

/** Which devices the next attempt may use. */
export enum Placement { SameDevices, OtherDevices, AnyDevices }

/** When the next attempt takes its turn. */
export enum Turn { WhenDue, Last }

/** What a decision is. */
export enum DecisionKind { Accept, Retry, GiveUp, StopStudy }

/** What follows an attempt. */
export class Decision {
  overrides: Map<string, string> = new Map();
  placement: Placement = Placement.AnyDevices;
  turn: Turn = Turn.WhenDue;

  private constructor(public kind: DecisionKind, public afterMs: u64, public reason: string) {}

  /** Takes the attempt's outcome as the stage's outcome. */
  static accept(): Decision {
    return new Decision(DecisionKind.Accept, 0, "");
  }

  /** Runs the stage again after this wait, for this reason. */
  static retry(afterMs: u64, reason: string): Decision {
    return new Decision(DecisionKind.Retry, afterMs, reason);
  }

  /** The experiment has failed, for this reason. The study goes on. */
  static giveUp(reason: string): Decision {
    return new Decision(DecisionKind.GiveUp, 0, reason);
  }

  /** Starts no further experiment, for this reason. */
  static stopStudy(reason: string): Decision {
    return new Decision(DecisionKind.StopStudy, 0, reason);
  }

  /** Replaces the value of an adjustable parameter. */
  with(parameter: string, value: string): Decision {
    this.overrides.set(parameter, value);
    return this;
  }

  /** Says which devices the next attempt may use. */
  on(placement: Placement): Decision {
    this.placement = placement;
    return this;
  }

  /** Lets every other experiment of the study go first. */
  last(): Decision {
    this.turn = Turn.Last;
    return this;
  }
}
