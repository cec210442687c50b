import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Limits } from "../limits/measure-limits.ts";
import type { PeerResult } from "./peer-engine.ts";
import { peerPlot } from "./peer-plot.ts";
import { peerSizes, type PeerSize } from "./peer-sizes.ts";

/** All engines with one model at one length of prompt, measured one after another. */
export interface PeerGroup {
  size: PeerSize;
  length: number;
  date: string;
  machine: string;
  threads: number;
  repeats: number;
  limits: Limits;
  results: PeerResult[];
}

/**
 * Writes peers.json and peers.svg. A group that is there already is replaced as a whole, others stay:
 * what is compared was always measured in one run.
 *
 * @returns all groups of the files
 */
export async function writeGroups(
  directory: string,
  measured: readonly PeerGroup[],
): Promise<PeerGroup[]> {
  const file = join(directory, "peers.json");
  const before = await readFile(file, "utf8").then(
    (text) => JSON.parse(text) as PeerGroup[],
    () => [],
  );
  const groups = mergeGroups(before, measured);
  await writeFile(file, `${JSON.stringify(groups, null, 2)}\n`);
  await writeFile(join(directory, "peers.svg"), await peerPlot(groups));
  return groups;
}

/** Groups of both, by size and length; a new one takes the place of an old one. */
export function mergeGroups(
  before: readonly PeerGroup[],
  measured: readonly PeerGroup[],
): PeerGroup[] {
  const key = ({ size, length }: PeerGroup): string => `${size} ${length}`;
  const merged = new Map([...before, ...measured].map((group) => [key(group), group]));
  return [...merged.values()].sort(
    (a, b) => peerSizes.indexOf(a.size) - peerSizes.indexOf(b.size) || a.length - b.length,
  );
}
