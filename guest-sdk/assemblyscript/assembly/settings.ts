// The settings, a JSON object, asked for by name.

/** What a policy is given. Each method names a setting, and says what it is where it is not given. */
export class Settings {
  private given: Map<string, Json> = new Map();
  private known: string[] = [];
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

  /** Whether it is given, and not as null. */
  has(name: string): bool {
    this.knows(name);
    return this.given.has(name) && this.given.get(name).kind != Kind.Null;
  }

  /** A number from 0. */
  number(name: string, otherwise: f64): f64 {
    const json = this.of(name, Kind.Number, "a number");
    if (!json) return otherwise;
    if (json.number < 0) this.refuse(`\`${name}\`: \`${json.number}\` is negative, expected 0 or more`);
    return json.number;
  }

  /** A whole number from 0. */
  whole(name: string, otherwise: u32): u32 {
    const number = this.number(name, f64(otherwise));
    if (number != Math.floor(number) || number > f64(u32.MAX_VALUE)) {
      this.refuse(`\`${name}\`: \`${number}\` is no whole number of 32 bits`);
      return otherwise;
    }
    return u32(number);
  }

  /** True or false. */
  flag(name: string, otherwise: bool): bool {
    const json = this.of(name, Kind.Bool, "true or false");
    return json ? json.number != 0 : otherwise;
  }

  /** One of these words. */
  word(name: string, otherwise: string, among: string[]): string {
    const json = this.of(name, Kind.Text, "a word");
    return json ? this.oneOf(name, json.text, among) : otherwise;
  }

  /** A list of these words. */
  words(name: string, otherwise: string[], among: string[]): string[] {
    const json = this.of(name, Kind.List, "a list");
    if (!json) return otherwise;
    const words: string[] = [];
    for (let i = 0; i < json.items.length; i++) {
      words.push(this.oneOf(name, json.items[i].text, among));
    }
    return words;
  }

  private knows(name: string): void {
    if (!this.known.includes(name)) this.known.push(name);
  }

  private of(name: string, kind: Kind, expected: string): Json | null {
    this.knows(name);
    if (!this.given.has(name)) return null;
    const json = this.given.get(name);
    if (json.kind == kind) return json;
    this.refuse(`\`${name}\`: expected ${expected}`);
    return null;
  }

  private oneOf(name: string, word: string, among: string[]): string {
    if (!among.includes(word)) this.refuse(`\`${name}\`: \`${word}\` is none of \`${among.join("`, `")}\``);
    return word;
  }
}

enum Kind { Null, Bool, Number, Text, List, Object }

class Json {
  text: string = "";
  items: Json[] = [];
  fields: Map<string, Json> = new Map();
  constructor(public kind: Kind, public number: f64 = 0) {}
}

class Reader {
  failed: bool = false;
  private at: i32 = 0;
  constructor(private text: string) {}

  /** The value that is the whole text. */
  whole(): Json {
    const value = this.value();
    this.space();
    if (this.at < this.text.length) this.failed = true;
    return value;
  }

  private space(): void {
    while (this.at < this.text.length && " \t\r\n".includes(this.text.charAt(this.at))) this.at++;
  }

  /** Whether this is what comes next, and passes over it. */
  private next(what: string): bool {
    this.space();
    const is = this.text.startsWith(what, this.at);
    if (is) this.at += what.length;
    return is;
  }

  private value(): Json {
    if (this.next("null")) return new Json(Kind.Null);
    if (this.next("true")) return new Json(Kind.Bool, 1);
    if (this.next("false")) return new Json(Kind.Bool, 0);
    if (this.next("{")) return this.object();
    if (this.next("[")) return this.list();
    if (this.next('"')) return this.string();
    const start = this.at;
    while (this.at < this.text.length && "+-.0123456789eE".includes(this.text.charAt(this.at))) this.at++;
    const number = parseFloat(this.text.substring(start, this.at));
    if (isNaN(number)) this.failed = true;
    return new Json(Kind.Number, number);
  }

  private object(): Json {
    const object = new Json(Kind.Object);
    if (this.next("}")) return object;
    do {
      if (!this.next('"')) this.failed = true;
      const name = this.string().text;
      if (!this.next(":")) this.failed = true;
      if (this.failed) return object;
      object.fields.set(name, this.value());
    } while (this.next(","));
    if (!this.next("}")) this.failed = true;
    return object;
  }

  private list(): Json {
    const list = new Json(Kind.List);
    if (this.next("]")) return list;
    do list.items.push(this.value());
    while (!this.failed && this.next(","));
    if (!this.next("]")) this.failed = true;
    return list;
  }

  private string(): Json {
    const json = new Json(Kind.Text);
    while (this.at < this.text.length) {
      const letter = this.text.charAt(this.at++);
      if (letter == '"') return json;
      json.text += letter == "\\" ? this.escaped() : letter;
    }
    this.failed = true;
    return json;
  }

  private escaped(): string {
    const letter = this.text.charAt(this.at++);
    const place = "bfnrt".indexOf(letter);
    if (letter == "u") {
      const code = i32(parseInt(this.text.substring(this.at, this.at + 4), 16));
      this.at += 4;
      return String.fromCharCode(code);
    }
    return place < 0 ? letter : "\b\f\n\r\t".charAt(place);
  }
}
