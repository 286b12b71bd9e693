// The settings, a JSON object, asked for by name.

import { Json, Kind, quoted, Reader } from "./json";

/**
 * What a policy is given. Each method names a setting, says what it is where it is not given, and what it is about. So
 * the policy's own questions are the settings' schema, which `reprieve policy inspect` shows.
 */
export class Settings {
  private given: Map<string, Json> = new Map();
  private known: string[] = [];
  private properties: string[] = [];
  private wrong: string = "";

  constructor(text: string) {
    const read = new Reader(text);
    const value = read.whole();
    if (read.failed || value.kind != Kind.Object) {
      this.refuse("the settings are no JSON object");
    } else {
      this.given = value.fields;
    }
  }

  /** Refuses the settings, in words for the person who wrote them. The first refusal counts. */
  refuse(why: string): void {
    if (this.wrong == "") this.wrong = why;
  }

  /** Why the settings are refused; empty where they are not. */
  get refusal(): string {
    if (this.wrong != "") return this.wrong;
    const names = this.given.keys();
    for (let i = 0; i < names.length; i++) {
      if (this.known.includes(names[i])) continue;
      const expected = this.known.length == 0 ? "there are none" : "expected one of `" + this.known.join("`, `") + "`";
      return `unknown setting \`${names[i]}\`, ${expected}`;
    }
    return "";
  }

  /** A JSON Schema of what has been asked for; null where nothing has. */
  get schema(): string | null {
    if (this.known.length == 0) return null;
    return `{"type":"object","additionalProperties":false,"properties":{${this.properties.join(",")}}}`;
  }

  /** A number from 0. */
  number(name: string, otherwise: f64, about: string = ""): f64 {
    const whole = otherwise == Math.floor(otherwise) && Math.abs(otherwise) < 1e15;
    this.knows(name, '"type":"number","minimum":0', whole ? i64(otherwise).toString() : otherwise.toString(), about);
    return this.atLeastZero(name, otherwise, "a number, 0 or more");
  }

  /** A whole number from 0. */
  whole(name: string, otherwise: u32, about: string = ""): u32 {
    this.knows(name, '"type":"integer","minimum":0', otherwise.toString(), about);
    return u32(this.bits32(name, otherwise));
  }

  /** A whole number from 0, or -1 where it is null or not given. */
  wholeOrNone(name: string, about: string = ""): i64 {
    this.knows(name, '"type":["integer","null"],"minimum":0', "null", about);
    if (this.given.has(name) && this.given.get(name).kind == Kind.Null) return -1;
    return this.bits32(name, -1);
  }

  /** True or false. */
  flag(name: string, otherwise: bool, about: string = ""): bool {
    this.knows(name, '"type":"boolean"', otherwise.toString(), about);
    const json = this.of(name, Kind.Bool, "true or false");
    return json ? json.number != 0 : otherwise;
  }

  /** One of these words. */
  word(name: string, otherwise: string, among: string[], about: string = ""): string {
    this.knows(name, `"enum":${list(among)}`, quoted(otherwise), about);
    const json = this.of(name, Kind.Text, "a word");
    return json ? this.oneOf(name, json.text, among) : otherwise;
  }

  /** A list of these words. */
  words(name: string, otherwise: string[], among: string[], about: string = ""): string[] {
    this.knows(name, `"type":"array","items":{"enum":${list(among)}}`, list(otherwise), about);
    const json = this.of(name, Kind.List, "a list");
    if (!json) return otherwise;
    const words: string[] = [];
    for (let i = 0; i < json.items.length; i++) {
      words.push(this.oneOf(name, json.items[i].text, among));
    }
    return words;
  }

  private knows(name: string, kind: string, otherwise: string, about: string): void {
    if (this.known.includes(name)) return;
    this.known.push(name);
    const description = about == "" ? "" : `"description":${quoted(about)},`;
    this.properties.push(`${quoted(name)}:{${description}${kind},"default":${otherwise}}`);
  }

  private of(name: string, kind: Kind, expected: string): Json | null {
    if (!this.given.has(name)) return null;
    const json = this.given.get(name);
    if (json.kind == kind) return json;
    this.wants(name, json.told, expected);
    return null;
  }

  private wants(name: string, given: string, expected: string): void {
    this.refuse(`\`${name}\`: \`${given}\`, expected ${expected}`);
  }

  private atLeastZero(name: string, otherwise: f64, expected: string): f64 {
    const json = this.of(name, Kind.Number, expected);
    if (!json) return otherwise;
    if (json.number < 0) this.wants(name, json.told, expected);
    return json.number;
  }

  private bits32(name: string, otherwise: i64): i64 {
    const expected = "a whole number from 0 to 4294967295";
    const number = this.atLeastZero(name, f64(otherwise), expected);
    if (number == Math.floor(number) && number <= f64(u32.MAX_VALUE)) return i64(number);
    this.wants(name, this.given.get(name).told, expected);
    return otherwise;
  }

  private oneOf(name: string, word: string, among: string[]): string {
    if (!among.includes(word)) this.wants(name, word, "one of `" + among.join("`, `") + "`");
    return word;
  }
}

/** A list of words as JSON writes it. */
function list(words: string[]): string {
  const items: string[] = [];
  for (let i = 0; i < words.length; i++) items.push(quoted(words[i]));
  return `[${items.join(",")}]`;
}
