## The leased devices: how they are, and what cleaning them brings. Outside a host there are none.

import std/[options, times]
import cleanup
when defined(wasm): import memory

type
  Recovery* {.pure.} = enum
    ## What the driver recommends.
    none, resetDevice, restartMachine, inspect

  Status* = object
    ## A reading of one device.
    uuid*, name*: string
    totalBytes*, usedBytes*, baselineBytes*: uint64
    celsius*, milliwatts*, utilizationPercent*: Option[uint32]
    throttled*: Option[bool]
    uncorrectedErrors*: Option[uint64]
    recovery*: Option[Recovery]
    processes*: uint32

  StatusErrorKind* {.pure.} = enum
    ## Why there is no reading.
    unavailable, noSuchDevice, notSupported, deviceLost, transient, other

  StatusError* = object of CatchableError
    ## There is no reading.
    kind*: StatusErrorKind

  Outcome* {.pure.} = enum
    ## How an action went.
    done, skipped, failed

  Report* = object
    ## What an action brought.
    outcome*: Outcome
    why*: string ## Of what was skipped or has failed.
    took*: Duration
    releasedBytes*: uint64

  RefusedError* = object of CatchableError
    ## The host does not allow the action.

proc newStatusError(kind: StatusErrorKind, why: string): ref StatusError =
  result = newException(StatusError, why)
  result.kind = kind

when defined(wasm):
  {.emit: """/*TYPESECTION*/
__attribute__((import_module("reprieve:policy/nvml-status@0.1.0"), import_name("device-count")))
unsigned reprieve_device_count(void);
__attribute__((import_module("reprieve:policy/nvml-status@0.1.0"), import_name("read")))
void reprieve_read(unsigned device, void *answer);
__attribute__((import_module("reprieve:policy/gpu-cleanup@0.1.0"), import_name("perform")))
void reprieve_perform(unsigned action, unsigned long long first, unsigned long long second, void *answer);
""".}
  proc hostDeviceCount(): uint32 {.importc: "reprieve_device_count", nodecl.}
  proc hostRead(device: uint32, answer: pointer) {.importc: "reprieve_read", nodecl.}
  proc hostPerform(action: uint32, first, second: uint64, answer: pointer) {.importc: "reprieve_perform", nodecl.}

  proc optionAt(T: typedesc, at: Address, offset, value: int): Option[T] =
    if load(uint8, at, offset) != 0: result = some(load(T, at, value))

  proc deviceCount*(): int =
    ## How many devices the experiment holds.
    int(hostDeviceCount())

  proc readDevice*(device: int): Status {.raises: [StatusError].} =
    ## Reads one device, by its position among the leased devices.
    let answer = allocate(104)
    hostRead(uint32(device), cast[pointer](answer))
    let at = answer + 8
    if load(uint8, answer) != 0:
      let kind = StatusErrorKind(load(uint8, at))
      const told = {StatusErrorKind.unavailable, StatusErrorKind.transient, StatusErrorKind.other}
      raise newStatusError(kind, if kind in told: textAt(at, 4) else: $kind)
    Status(uuid: textAt(at), name: textAt(at, 8), totalBytes: load(uint64, at, 16), usedBytes: load(uint64, at, 24),
           baselineBytes: load(uint64, at, 32), celsius: optionAt(uint32, at, 40, 44),
           milliwatts: optionAt(uint32, at, 48, 52), utilizationPercent: optionAt(uint32, at, 56, 60),
           throttled: optionAt(bool, at, 64, 65), uncorrectedErrors: optionAt(uint64, at, 72, 80),
           recovery: optionAt(Recovery, at, 88, 89), processes: load(uint32, at, 92))

  proc perform*(step: Step): Report {.raises: [RefusedError].} =
    ## Runs a step's action now, for plans that depend on what it brings. Only a plan may.
    let answer = allocate(40)
    var (first, second) = (step.first, step.second)
    if step.action == 10:
      let text = allocate(8)
      putText(text, step.name)
      first = load(uint32, text)
      second = load(uint32, text, 4)
    hostPerform(step.action, first, second, cast[pointer](answer))
    if load(uint8, answer) != 0: raise newException(RefusedError, textAt(answer, 8))
    result.outcome = Outcome(load(uint8, answer, 8))
    if result.outcome != Outcome.done: result.why = textAt(answer, 12)
    result.took = initDuration(milliseconds = load(int64, answer, 24))
    result.releasedBytes = load(uint64, answer, 32)

else:
  proc deviceCount*(): int = 0
  proc readDevice*(device: int): Status {.raises: [StatusError].} =
    raise newStatusError(StatusErrorKind.unavailable, "there is no host")
  proc perform*(step: Step): Report {.raises: [RefusedError].} =
    raise newException(RefusedError, "there is no host")
