#!/usr/bin/env node
// `build.mjs POLICY.lua [-o FILE]`: a component of a policy in Lua.
// `build.mjs --test TEST.lua`: runs each function of the table that a test file returns.
// Modules beside the file are found by `require`.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const testing = process.argv[2] === "--test";
const [file, flag, output] = process.argv.slice(testing ? 3 : 2);
if (!file || (flag && flag !== "-o") || (flag && !output)) {
  console.error("usage: build.mjs POLICY.lua [-o FILE] | --test TEST.lua");
  process.exit(2);
}
const here = path.dirname(fileURLToPath(import.meta.url));
const name = path.basename(file, ".lua");
const texts = { reprieve: readFileSync(path.join(here, "reprieve.lua"), "utf8") };
for (const entry of readdirSync(path.dirname(file))) {
  if (entry.endsWith(".lua")) texts[entry.slice(0, -4)] = readFileSync(path.join(path.dirname(file), entry), "utf8");
}

// The tools are the policy's project's, which is where this is run.
const from = createRequire(path.join(process.cwd(), "package.json"));
const dir = mkdtempSync(path.join(tmpdir(), "reprieve-guest-"));
try {
  const policy = path.join(dir, "policy.mjs");
  await (testing ? test(policy) : build(policy));
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(dir, { recursive: true });
}

/** Bundles a module, Lua machine and all. */
function bundle(contents, outfile) {
  from("esbuild").buildSync({
    stdin: { contents: `const texts = ${JSON.stringify(texts)};\n${contents}`, resolveDir: here },
    bundle: true,
    format: "esm",
    outfile,
    alias: { "reprieve-guest": from.resolve("reprieve-guest"), fengari: path.join(from.resolve("fengari"), "../..") },
    define: { "process.env.FENGARICONF": "undefined", process: "undefined" },
    // Of the library's parts for machines with files, none is used.
    external: ["fs", "os", "path", "child_process", "tmp", "readline-sync"],
    logLevel: "error",
    minifySyntax: true,
  });
}

async function build(policy) {
  const make = `import { component } from "./policy.js"; const made = component(texts, ${JSON.stringify(name)});`;
  bundle(`${make} export const roles = made.roles;`, policy);
  const { roles } = await import(pathToFileURL(policy));
  if (roles.length === 0) throw new Error(`\`${file}\` returns a table with neither \`decide\` nor \`plan\``);
  bundle(`${make} export const { guest, ${roles.join(", ")} } = made;`, policy);
  const tool = path.join(path.dirname(from.resolve("esbuild/package.json")), "../.bin/componentize-qjs");
  const world = roles.length === 2 ? "policy" : { retryPolicy: "retry-only", cleanupPolicy: "cleanup-only" }[roles[0]];
  const wit = path.join(path.dirname(from.resolve("reprieve-guest")), "wit");
  const args = ["--wit", wit, "--js", policy, "-n", world, "--sync", "-o", output ?? `${name}.wasm`];
  const { status } = spawnSync(tool, args, { stdio: ["ignore", "ignore", "inherit"] });
  process.exitCode = status ?? 1;
}

async function test(policy) {
  bundle(`import { Machine } from "./lua.js"; import { host } from "./policy.js";
    export default () => new Machine(texts, host).run(${JSON.stringify(name)}, texts[${JSON.stringify(name)}]);`, policy);
  const { default: tests } = await import(pathToFileURL(policy));
  const { test } = await import("node:test");
  for (const [name, check] of Object.entries(tests())) test(name, check);
}
