export { configure, decide, describe, plan, realloc } from "./abi";
