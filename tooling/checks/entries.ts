import type { Manifest } from "./workspace.ts";

/** A way into a package, as other code imports it. */
export interface Entry {
  /** Such as `@levin/model/node`. */
  specifier: string;
  needsNode: boolean;
}

const nodeEntry = /^\.\/(node|parity)$/;

/** Every entry of a package. */
export function entriesOf({ name, exports = {} }: Manifest): Entry[] {
  return Object.keys(exports)
    .filter((entry) => entry !== "./package.json")
    .map((entry) => ({
      specifier: name + entry.slice(1),
      needsNode: nodeEntry.test(entry) || name === "@levin/spark",
    }));
}
