// Runs the numbered files of a folder, or the one whose number is given:
//   node tooling/run-numbered.ts docs/tour 3

import { readdirSync } from "node:fs";
import { resolve } from "node:path";

const [folder = ".", number] = process.argv.slice(2);
const files = readdirSync(folder).filter((name) => /^\d\d-.*\.ts$/.test(name));
const chosen = files.filter(
  (name) => number === undefined || name.startsWith(`${number.padStart(2, "0")}-`),
);
if (chosen.length === 0) throw new Error(`expected 1 to ${files.length}, found ${number}`);
for (const name of chosen) {
  console.log(`\n${name}`);
  await import(resolve(folder, name));
}
