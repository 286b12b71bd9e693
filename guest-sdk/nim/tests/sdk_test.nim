## The SDK by itself. Each check is one that the Rust SDK has too.

import std/[json, strutils, times, unittest]
import reprieve

func asked(text: string): Option[Duration] = failed(FailureClass.rateLimited, text).askedToWait

func after(count: int, waited = initDuration()): seq[Attempt] =
  for _ in 1 .. count: result.add failed(FailureClass.network, "")
  result[^1].waitedFor = waited

func first(backoff: Backoff, count: int): seq[int64] =
  for wait in backoff.waits:
    if result.len == count: break
    result.add wait.inMilliseconds

type
  Colour = enum red = "red", darkGreen = "dark-green"
  Every = object
    maxRetries {.about: "How \"often\".".}: uint32
    waitSeconds: float
    on: bool
    word: string
    colour: Colour
    limit: Option[uint32]
    colours: seq[Colour]

proc refusal(json: string): string =
  var every = Every()
  try: configure(every, json)
  except ValueError as error: return error.msg

suite "waits":
  test "the numbers are those of the published generator":
    var random = initRandom(1234567)
    check random.next == 6457827717110365317'u64
    check random.next == 3203168211198807973'u64
    check random.next == 9817491932198370423'u64
    check random.upTo(0) == 0 and random.upTo(1) <= 1

  test "they grow up to their cap":
    check initBackoff(1.0, capSeconds = 5.0).first(4) == @[1000'i64, 2000, 4000, 5000]
    check initBackoff(0.1, 1.1).first(2) == @[100'i64, 110]
    check initBackoff(1.0).waitAfter(after(3)) == initDuration(seconds = 4)

  test "numbers that make no sense do no harm":
    check initBackoff(2.0, Inf, capSeconds = 60.0).first(2)[1] == 60_000
    check initBackoff(2.0, NaN).first(2)[1] == 2000 and initBackoff(2.0, -3.0).first(2)[1] == 2000
    check initBackoff(0.0, Inf).first(4)[3] == 0 and initBackoff(2.0, 0.0).first(2)[1] == 0
    check inSeconds(Inf) > initDuration(days = 1000) and inSeconds(1.001).inMilliseconds == 1001
    expect ValueError: discard inSeconds(-1.0)
    expect ValueError: discard inSeconds(NaN)

  test "negative spans are refused by their value":
    for build in [proc () = discard retry(initDuration(seconds = -5), "soon"), proc () = discard pause(
        initDuration(seconds = -5))]:
      try:
        build()
        check false
      except ValueError as error: check error.msg == "`-5 seconds` is no span of time, expected 0 or more"

  test "decorrelated ones build on the wait that was":
    for seed in 0'u64 ..< 100:
      let waits = initBackoff(1.0, capSeconds = 40.0, jitter = Jitter.decorrelated, seed = seed)
      let wait = waits.waitAfter(after(2, initDuration(seconds = 10)))
      check wait >= initDuration(seconds = 1) and wait <= initDuration(seconds = 30)
      check waits.waitAfter(after(2, inSeconds(Inf))) <= initDuration(seconds = 40)

  test "the texts that services write are understood":
    check asked("429 Too Many Requests, retry after 30 seconds").get == initDuration(seconds = 30)
    check asked("Retry-After: 120").get == initDuration(minutes = 2)
    check asked("{\"retry_after\": 1.5}").get == initDuration(milliseconds = 1500)
    check asked("Please try again in 1m30s").get == initDuration(seconds = 90)
    check asked("retry after 1.23456789 s").get == initDuration(milliseconds = 1234)
    check asked("retry after 99999999999999999999 hours").get > initDuration(hours = 1)
    for none in ["", "retry after", "will not retry after 3 attempts", "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT"]:
      check asked(none).isNone

suite "settings":
  test "they are read by the names of fields":
    var every = Every()
    configure(every, """{"max_retries": 7, "wait_seconds": 0.3, "on": true, "word": "b", "colour": "dark-green",
      "limit": 2, "colours": ["red", "dark-green"]}""")
    check every == Every(maxRetries: 7, waitSeconds: 0.3, on: true, word: "b", colour: darkGreen, limit: some(2'u32),
                         colours: @[red, darkGreen])
    check refusal("{}") == "" and refusal("""{"limit": null, "colours": []}""") == ""

  test "what is wrong is refused by name":
    check refusal("""{"max_retris": 1}""").startsWith("unknown setting `max_retris`, expected one of `max_retries`")
    check refusal("""{"max_retries": -1}""") == "`max_retries`: `-1`, expected a whole number from 0 to 4294967295"
    check refusal("""{"max_retries": 1.5}""") != "" and refusal("""{"max_retries": 4294967296}""") != ""
    check refusal("""{"colour": "blue"}""") == "`colour`: `\"blue\"`, expected one of `red`, `dark-green`"
    check refusal("""{"limit": false}""") == "`limit`: `false`, expected null or a whole number from 0 to 4294967295"
    check refusal("""{"colours": ["red", 1]}""") != "" and refusal("""{"colours": {}}""") != "" and refusal("[]") != ""

  test "the fields are the schema":
    let properties = parseJson(schema(Every(maxRetries: 3)))["properties"]
    check properties["max_retries"] == %*{"description": "How \"often\".", "type": "integer", "minimum": 0, "default": 3}
    check properties["limit"]["default"].kind == JNull and properties["colour"]["enum"] == %*["red", "dark-green"]
