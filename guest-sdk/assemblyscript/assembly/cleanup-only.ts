export { configure, describe, plan, realloc } from "./abi";
