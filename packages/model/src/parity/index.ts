export { compareCase } from "./compare-case.ts";
export { passes, type Comparison } from "./comparison.ts";
