## The steps of a cleanup, which the host bounds and carries out.

import std/times
import span

type
  Consequence* {.pure.} = enum
    ## What becomes of the study where a step fails.
    carryOn, quarantineDevice, stopStudy

  Step* = object
    ## One action of a plan, on every leased device, and what becomes of the study where it fails.
    ifItFails*: Consequence
    action*: uint8 ## In the contract's order.
    first*, second*: uint64
    name*: string

func endLeftovers*(grace: Duration): Step =
  ## Ends what the experiment left running: a termination signal, this grace, a kill.
  Step(action: 0, first: grace.ms)

func removeSharedMemory*(): Step =
  ## Removes the shared-memory files that the experiment left behind.
  Step(action: 1)

func synchronize*(): Step =
  ## Waits until the work queued in the host's own contexts is done.
  Step(action: 2)

func releaseCachedMemory*(): Step =
  ## Gives the memory that the host's own allocators cache back to the device.
  Step(action: 3)

func resetContexts*(): Step =
  ## Destroys the host's own contexts on the devices.
  Step(action: 4)

func awaitMemory*(toleranceBytes: uint64, timeout: Duration): Step =
  ## Waits until used memory is back at the baseline.
  Step(action: 5, first: toleranceBytes, second: timeout.ms)

func awaitTemperature*(atMostCelsius: uint32, timeout: Duration): Step =
  ## Waits until the devices have cooled.
  Step(action: 6, first: atMostCelsius, second: timeout.ms)

func awaitIdle*(atMostPercent: uint32, timeout: Duration): Step =
  ## Waits until the devices are idle.
  Step(action: 7, first: atMostPercent, second: timeout.ms)

func probe*(allocateBytes: uint64, timeout: Duration): Step =
  ## Proves the devices usable: allocates, writes, reads back and frees memory on each.
  Step(action: 8, first: allocateBytes, second: timeout.ms)

func pause*(time: Duration): Step =
  ## Lets this much time pass.
  Step(action: 9, first: time.ms)

func runHook*(name: string): Step =
  ## Runs a command that the study declares under this name.
  Step(action: 10, name: name)

func orQuarantine*(step: Step): Step =
  ## Without this, the device is not fit for the next experiment.
  result = step
  result.ifItFails = Consequence.quarantineDevice

func orStop*(step: Step): Step =
  ## Without this, no further experiment is to start.
  result = step
  result.ifItFails = Consequence.stopStudy
