## Settings: an object's fields are their names, and a JSON object gives them values.

import std/[json, macros, math, options, strutils]

template about*(what: string) {.pragma.}
  ## What a setting is about, in one line: `maxRetries {.about: "How often it is tried again.".}: uint32`.

func snakeCase(name: string): string =
  for letter in name:
    if letter in {'A' .. 'Z'}: result.add '_'
    result.add letter.toLowerAscii

# Of each type that a setting may have: what is right, in words; reading it, and whether it is right; its schema; it as
# JSON.

func expected(_: bool): string = "true or false"
func expected[T: SomeUnsignedInt](_: T): string = "a whole number from 0 to " & $T.high
func expected(_: float): string = "a number, 0 or more"
func expected(_: string): string = "a text"
func expected[T: enum](_: T): string =
  for value in T: result.add (if result == "": "`" else: ", `") & $value & "`"
  result = "one of " & result
func expected[T](_: Option[T]): string = "null or " & expected(default(T))
func expected[T](_: seq[T]): string = "a list, each " & expected(default(T))

func read(json: JsonNode, value: var bool): bool =
  value = json.getBool
  json.kind == JBool

func read[T: SomeUnsignedInt](json: JsonNode, value: var T): bool =
  let number = json.getFloat(-1)
  result = number >= 0 and number <= float(T.high) and number == floor(number)
  if result: value = T(number)

func read(json: JsonNode, value: var float): bool =
  value = json.getFloat(-1)
  value >= 0

func read(json: JsonNode, value: var string): bool =
  value = json.getStr
  json.kind == JString

func read[T: enum](json: JsonNode, value: var T): bool =
  for one in T:
    if json.kind == JString and $one == json.getStr:
      value = one
      return true

func read[T](json: JsonNode, value: var Option[T]): bool =
  var there: T
  if json.kind == JNull:
    value = none(T)
    return true
  result = read(json, there)
  if result: value = some(there)

func read[T](json: JsonNode, value: var seq[T]): bool =
  result = json.kind == JArray
  value = newSeq[T](json.len)
  for index, item in json.getElems: result = result and read(item, value[index])

func kind(_: bool): JsonNode = %*{"type": "boolean"}
func kind[T: SomeUnsignedInt](_: T): JsonNode = %*{"type": "integer", "minimum": 0}
func kind(_: float): JsonNode = %*{"type": "number", "minimum": 0}
func kind(_: string): JsonNode = %*{"type": "string"}
func kind[T: enum](_: T): JsonNode =
  result = %*{"enum": []}
  for value in T: result["enum"].add %($value)
func kind[T](_: Option[T]): JsonNode = %*{"anyOf": [{"type": "null"}, kind(default(T))]}
func kind[T](_: seq[T]): JsonNode = %*{"type": "array", "items": kind(default(T))}

func told[T: bool | SomeUnsignedInt | string](value: T): JsonNode = %value
func told(value: float): JsonNode =
  if value == floor(value) and abs(value) < 1e15: %int(value) else: %value
func told[T: enum](value: T): JsonNode = %($value)
func told[T](value: Option[T]): JsonNode =
  if value.isSome: told(value.get) else: newJNull()
func told[T](value: seq[T]): JsonNode =
  result = newJArray()
  for item in value: result.add told(item)

proc configure*[T: object](policy: var T, settings: string) =
  ## Reads settings into a policy. What is wrong with them is a `ValueError`.
  let given = parseJson(settings)
  if given.kind != JObject: raise newException(ValueError, "the settings are no JSON object")
  var known: seq[string]
  for name, value in policy.fieldPairs:
    let key = snakeCase(name)
    known.add key
    if key in given and not read(given[key], value):
      raise newException(ValueError, "`" & key & "`: `" & $given[key] & "`, expected " & expected(value))
  for key in given.keys:
    if key notin known:
      let all = if known.len == 0: "there are none" else: "expected one of `" & known.join("`, `") & "`"
      raise newException(ValueError, "unknown setting `" & key & "`, " & all)
  mixin check
  when compiles(check(policy)): check(policy)

proc schema*[T: object](defaults: T): string =
  ## A JSON Schema of the settings; empty where there are none.
  let properties = newJObject()
  for name, value in defaults.fieldPairs:
    let property = kind(value)
    when value.hasCustomPragma(about): property["description"] = %value.getCustomPragmaVal(about)
    property["default"] = told(value)
    properties[snakeCase(name)] = property
  if properties.len > 0:
    result = $ %*{"type": "object", "additionalProperties": false, "properties": properties}
