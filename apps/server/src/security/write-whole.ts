import { randomBytes } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";

/** Writes JSON that only its owner can read; who reads meanwhile finds the old or the new text, never half of one. */
export function writeWhole(path: string, value: object): void {
  const draft = `${path}.${randomBytes(4).toString("hex")}.draft`;
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(draft, path);
}
