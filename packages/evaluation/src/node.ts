export { readItems } from "./data/read-items.ts";
