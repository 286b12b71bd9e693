// Write a Reprieve policy in AssemblyScript: what follows a failed GPU experiment.
//
// A policy is a subclass of `Policy`. It remembers nothing between calls, and
// does no work: it answers, and the host waits, places and cleans.

import "./abort";

export * from "./backoff";
export * from "./cleanup";
export * from "./decision";
export * from "./gpu";
export { export_ as policy, Policy } from "./policy";
export * from "./settings";
export * from "./situation";
