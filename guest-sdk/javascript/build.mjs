#!/usr/bin/env node
// `reprieve-guest-build POLICY.js [-o FILE]`: a component of a policy's module, in JavaScript or TypeScript.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire, SourceMap } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const [module, flag, output] = process.argv.slice(2);
if (!module || (flag && flag !== "-o") || (flag && !output)) {
  console.error("usage: reprieve-guest-build POLICY.js [-o FILE]");
  process.exit(2);
}
const here = path.dirname(fileURLToPath(import.meta.url));
// The tools are the policy's project's, which is where this is run.
const from = createRequire(path.join(process.cwd(), "package.json"));
const esbuild = from("esbuild");
const dir = mkdtempSync(path.join(tmpdir(), "reprieve-guest-"));
try {
  const bundle = path.join(dir, "policy.js");
  const { metafile } = esbuild.buildSync({
    entryPoints: [module],
    bundle: true,
    format: "esm",
    outfile: bundle,
    metafile: true,
    sourcemap: "external",
    alias: { "reprieve-guest": path.join(here, "index.js") },
  });
  // An exception is told with its place in the source, except within the SDK.
  const map = new SourceMap(JSON.parse(readFileSync(`${bundle}.map`, "utf8")));
  const text = readFileSync(bundle, "utf8");
  const places = text.split("\n").map((line, number) => {
    const { originalSource, originalLine } = map.findEntry(number, line.length);
    const own = originalSource && path.resolve(dir, originalSource) !== path.join(here, "index.js");
    return own ? `${path.basename(originalSource)}, line ${originalLine + 1}` : "";
  });
  writeFileSync(bundle, `${text}globalThis.reprievePlaces = ${JSON.stringify(places)};\n`);
  const { exports } = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint);
  const roles = ["retryPolicy", "cleanupPolicy"].map((role) => exports.includes(role));
  const world = { "true,true": "policy", "true,false": "retry-only", "false,true": "cleanup-only" }[roles];
  if (!world) throw new Error(`\`${module}\` exports neither \`retryPolicy\` nor \`cleanupPolicy\``);
  const tool = path.join(path.dirname(from.resolve("esbuild/package.json")), "../.bin/componentize-qjs");
  const wasm = output ?? module.replace(/\.[jt]s$/, ".wasm");
  const args = ["--wit", path.join(here, "wit"), "--js", bundle, "-n", world, "--sync", "-o", wasm];
  const { status } = spawnSync(tool, args, { stdio: ["ignore", "ignore", "inherit"] });
  process.exitCode = status ?? 1;
} finally {
  rmSync(dir, { recursive: true });
}
