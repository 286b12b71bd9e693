// Runs tests in AssemblyScript: each function that a module exports is one. It fails where it traps or an `assert` does.

import { readFile } from "node:fs/promises";
import { test } from "node:test";

const tests = await WebAssembly.compile(await readFile(process.argv[2]));

/** What the language imports, and the devices, of which a test has none. */
function imports(memory) {
  const text = (at) => {
    const length = new Uint32Array(memory().buffer)[(at - 4) >> 2];
    return at ? new TextDecoder("utf-16le").decode(new Uint8Array(memory().buffer, at, length)) : "";
  };
  const refuse = (answer) => void (new Uint8Array(memory().buffer)[answer] = 1);
  return {
    env: {
      abort(message, file, line, column) {
        throw new Error(`${text(message) || "a test has failed"}, at ${text(file)}:${line}:${column}`);
      },
    },
    "reprieve:policy/nvml-status@0.1.0": { "device-count": () => 0, read: (device, answer) => refuse(answer) },
    "reprieve:policy/gpu-cleanup@0.1.0": { perform: (kind, first, second, answer) => refuse(answer) },
  };
}

for (const { name, kind } of WebAssembly.Module.exports(tests)) {
  if (kind !== "function") continue;
  test(name.replace(/[A-Z]/g, (letter) => " " + letter.toLowerCase()), async () => {
    // A fresh instance, as the host gives one to each call.
    const { exports } = await WebAssembly.instantiate(tests, imports(() => exports.memory));
    exports[name]();
  });
}
