// JSON, as far as settings need it.

export enum Kind { Null, Bool, Number, Text, List, Object }

/** A value. */
export class Json {
  text: string = "";
  items: Json[] = [];
  fields: Map<string, Json> = new Map();
  constructor(public kind: Kind, public number: f64 = 0) {}

  /** How a refusal shows it. */
  get told(): string {
    if (this.kind == Kind.Null) return "null";
    if (this.kind == Kind.Bool) return this.number != 0 ? "true" : "false";
    if (this.kind == Kind.List) return "[…]";
    return this.kind == Kind.Object ? "{…}" : this.text;
  }
}

/** Reads a text. */
export class Reader {
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
    const json = new Json(Kind.Number, parseFloat(this.text.substring(start, this.at)));
    json.text = this.text.substring(start, this.at);
    if (isNaN(json.number)) this.failed = true;
    return json;
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

/** A text as JSON writes it. */
export function quoted(text: string): string {
  let json = '"';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20) {
      json += "\\u00" + code.toString(16).padStart(2, "0");
      continue;
    }
    if (code == 0x22 || code == 0x5c) json += "\\";
    json += text.charAt(i);
  }
  return json + '"';
}
