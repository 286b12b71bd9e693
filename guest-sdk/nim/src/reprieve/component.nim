## What makes a component of a policy: the contract's exports.

when defined(wasm):
  import std/[options, times]
  import cleanup, decisions, memory, settings, situation, span
  export memory

  type
    Question* = object
      experiment*: Experiment
      attempts*: seq[Attempt]
      progress*: Progress

  proc duration(at: Address, offset: int): Duration =
    initDuration(milliseconds = int64(min(load(uint64, at, offset), uint64(int64.high))))

  proc parametersAt(at: Address, offset: int): seq[Parameter] =
    for item in itemsAt(at, 16, offset): result.add (textAt(item), textAt(item, 8))

  proc experimentAt*(at: Address): Experiment =
    result = Experiment(name: textAt(at), parameters: parametersAt(at, 8), labels: parametersAt(at, 24),
                        devices: load(uint32, at, 32), seed: load(uint64, at, 40))
    for item in itemsAt(at, 8, 16): result.adjustable.add textAt(item)

  proc endingAt(at: Address): Ending =
    case EndingKind(load(uint8, at))
    of EndingKind.exited: Ending(kind: EndingKind.exited, code: load(int32, at, 4))
    of EndingKind.signalled: Ending(kind: EndingKind.signalled, signal: load(int32, at, 4))
    of EndingKind.timedOut: Ending(kind: EndingKind.timedOut)
    of EndingKind.fellSilent: Ending(kind: EndingKind.fellSilent)
    of EndingKind.notStarted: Ending(kind: EndingKind.notStarted, why: textAt(at, 4))
    of EndingKind.lost: Ending(kind: EndingKind.lost)

  proc attemptAt*(at: Address): Attempt =
    result = Attempt(
      number: load(uint32, at), stage: load(Stage, at, 4), ending: endingAt(at + 8), waitedFor: duration(at, 40),
      ranFor: duration(at, 48), stderrTail: textAt(at, 56), stdoutTail: textAt(at, 64),
      foreignProcesses: load(uint32, at, 112), throttledFor: duration(at, 120), facts: parametersAt(at, 128))
    if load(bool, at, 20): result.failure = some(Failure(class: load(FailureClass, at, 24), evidence: textAt(at, 28)))
    if load(bool, at, 72):
      var report = SelfReport(kind: textAt(at, 80), message: textAt(at, 88))
      if load(bool, at, 76): report.retryable = some(load(bool, at, 77))
      result.selfReport = some(report)
    for item in itemsAt(at, 16, 96):
      result.faults.add DeviceFault(device: load(uint32, item), xid: load(uint64, item, 8))
    for item in itemsAt(at, 32, 104):
      result.memory.add DeviceMemoryUse(device: load(uint32, item), baseline: load(uint64, item, 8),
                                        peak: load(uint64, item, 16), residual: load(uint64, item, 24))

  proc questionAt*(at: Address): Question =
    result.experiment = experimentAt(at)
    for item in itemsAt(at, 136, 48): result.attempts.add attemptAt(item)
    result.progress = Progress(
      succeeded: load(uint32, at, 56), failed: load(uint32, at, 60), remaining: load(uint32, at, 64),
      retries: load(uint32, at, 68), failedInARow: load(uint32, at, 72), elapsed: duration(at, 80))

  proc afterAt*(at: Address): Option[Attempt] =
    if load(bool, at, 48): result = some(attemptAt(at + 56))

  proc putDecision*(decision: Decision): Address =
    result = allocate(40)
    store(result, uint8(decision.kind.ord))
    if decision.kind != DecisionKind.retry:
      putText(result, decision.reason, 8)
      return
    store(result, decision.delay.ms, 8)
    store(result, uint8(decision.placement.ord), 16)
    store(result, uint8(decision.turn.ord), 17)
    let items = allocate(16 * decision.overrides.len)
    for index, one in decision.overrides:
      putText(items, one.name, 16 * index)
      putText(items, one.value, 16 * index + 8)
    store(result, uint32(items), 20)
    store(result, uint32(decision.overrides.len), 24)
    putText(result, decision.reason, 28)

  proc putPlan*(steps: seq[Step]): Address =
    let items = allocate(32 * steps.len)
    for index, step in steps:
      let at = items + 32 * index
      store(at, step.action)
      store(at, step.first, 8)
      store(at, step.second, 16)
      if step.name.len > 0: putText(at, step.name, 8)
      store(at, uint8(step.ifItFails.ord), 24)
    result = allocate(8)
    store(result, uint32(items))
    store(result, uint32(steps.len), 4)

  proc putInfo*(name, version, summary, schema: string): Address =
    result = allocate(36)
    for index, text in [name, version, summary]: putText(result, text, 8 * index)
    if schema.len > 0:
      store(result, true, 24)
      putText(result, schema, 28)

  proc putRefusal*(why: string): Address =
    result = allocate(12)
    store(result, true)
    putText(result, why, 4)

  proc realloc(old: pointer, size: csize_t): pointer {.importc, header: "<stdlib.h>".}
  proc write(file: cint, bytes: cstring, size: csize_t): int {.importc, header: "<unistd.h>".}
  proc abort() {.importc, header: "<stdlib.h>", noreturn.}
  proc nimMain() {.importc: "NimMain".}

  proc componentRealloc(old: pointer, oldSize, alignment, size: csize_t): pointer {.
      exportc: "reprieve_realloc", codegenDecl: "__attribute__((export_name(\"cabi_realloc\"))) $# $#$#".} =
    realloc(old, size)

  var begun = false

  proc begin*() =
    ## Runs, once, what modules do when they are loaded.
    if not begun: nimMain()
    begun = true

  proc fail*(error: ref Exception) {.noreturn.} =
    ## Ends the call. The host shows these last words.
    let words = $error.name & ": " & error.msg & "\n"
    discard write(2, words.cstring, csize_t(words.len))
    abort()

template exportPolicy*(defaults: typed, name: static string, summary = "", version = "0.1.0") =
  ## Once in a component: exports this policy, an object with its settings' defaults, and of these procs what there is:
  ##
  ## * `decide(policy: T, experiment: Experiment, attempts: seq[Attempt], progress: Progress): Decision`
  ## * `plan(policy: T, experiment: Experiment, after: Option[Attempt]): seq[Step]`, for before an attempt, or after it
  ## * `check(policy: T)`, which refuses settings with a `ValueError`
  ##
  ## Without `-d:wasm` it does nothing, so a policy's tests need no host.
  when defined(wasm):
    var policy = defaults

    proc describe(): Address {.exportc: "reprieve_describe",
        codegenDecl: "__attribute__((export_name(\"reprieve:policy/guest@0.1.0#describe\"))) $# $#$#".} =
      begin()
      putInfo(name, version, summary, schema(policy))

    proc configured(settings: pointer, size: uint32): Address {.exportc: "reprieve_configure",
        codegenDecl: "__attribute__((export_name(\"reprieve:policy/guest@0.1.0#configure\"))) $# $#$#".} =
      begin()
      try:
        configure(policy, textOf(settings, size))
        allocate(12)
      except CatchableError as error:
        putRefusal(error.msg)
      except Exception as error:
        fail(error)

    when compiles(decide(defaults, Experiment(), newSeq[Attempt](), Progress())):
      proc decided(asked: Address): Address {.exportc: "reprieve_decide",
          codegenDecl: "__attribute__((export_name(\"reprieve:policy/retry-policy@0.1.0#decide\"))) $# $#$#".} =
        begin()
        try:
          let question = questionAt(asked)
          putDecision(decide(policy, question.experiment, question.attempts, question.progress))
        except Exception as error:
          fail(error)

    when compiles(plan(defaults, Experiment(), none(Attempt))):
      proc planned(asked: Address): Address {.exportc: "reprieve_plan",
          codegenDecl: "__attribute__((export_name(\"reprieve:policy/cleanup-policy@0.1.0#plan\"))) $# $#$#".} =
        begin()
        try:
          putPlan(plan(policy, experimentAt(asked), afterAt(asked)))
        except Exception as error:
          fail(error)
