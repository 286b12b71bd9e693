// The steps of a cleanup, which the host bounds and carries out.

/** What becomes of the study where a step fails. */
export enum Consequence { CarryOn, QuarantineDevice, StopStudy }

/** One action of a plan, and what becomes of the study where it fails. */
export class Step {
  ifItFails: Consequence = Consequence.CarryOn;

  private constructor(public kind: u8, public first: u64, public second: u64, public text: string = "") {}

  /** Ends what the experiment left running: a termination signal, this grace, a kill. */
  static endLeftovers(graceMs: u64): Step { return new Step(0, graceMs, 0); }
  /** Removes the shared-memory files that the experiment left behind. */
  static removeSharedMemory(): Step { return new Step(1, 0, 0); }
  /** Waits until the work queued in the host's own contexts is done. */
  static synchronize(): Step { return new Step(2, 0, 0); }
  /** Gives the memory that the host's own allocators cache back to the device. */
  static releaseCachedMemory(): Step { return new Step(3, 0, 0); }
  /** Destroys the host's own contexts on the devices. */
  static resetContexts(): Step { return new Step(4, 0, 0); }
  /** Waits until used memory is back at the baseline. */
  static awaitMemory(toleranceBytes: u64, timeoutMs: u64): Step { return new Step(5, toleranceBytes, timeoutMs); }
  /** Waits until the devices have cooled. */
  static awaitTemperature(atMostCelsius: u32, timeoutMs: u64): Step { return new Step(6, atMostCelsius, timeoutMs); }
  /** Waits until the devices are idle. */
  static awaitIdle(atMostPercent: u32, timeoutMs: u64): Step { return new Step(7, atMostPercent, timeoutMs); }
  /** Proves the devices usable: allocates, writes, reads back and frees memory on each. */
  static probe(allocateBytes: u64, timeoutMs: u64): Step { return new Step(8, allocateBytes, timeoutMs); }
  /** Lets this much time pass. */
  static pause(timeMs: u64): Step { return new Step(9, timeMs, 0); }
  /** Runs a command that the study declares under this name. */
  static runHook(name: string): Step { return new Step(10, 0, 0, name); }

  /** Without this, the device is not fit for the next experiment. */
  orQuarantine(): Step {
    this.ifItFails = Consequence.QuarantineDevice;
    return this;
  }

  /** Without this, no further experiment is to start. */
  orStop(): Step {
    this.ifItFails = Consequence.StopStudy;
    return this;
  }
}
