export { configure, decide, describe, realloc } from "./abi";
