import { resolve } from "node:path";
import { contextSuites, type PairForm } from "@levin/evaluation";
import type { SpreadFlags } from "../spread/open-crew.ts";
import { SuiteSettingsError } from "./suite-settings.ts";

/** Name of one of the suites of long contexts. */
export type ContextSuiteName = keyof typeof contextSuites;

/** What contexts and their questions are made from, in plain JSON: the same everywhere. */
export interface ContextSource {
  suites: readonly ContextSuiteName[];
  /** Tokens of prompt and answer together. */
  lengths: readonly number[];
  /** 0 to 1. */
  depths: readonly number[];
  /** Contexts of each length. */
  count: number;
  needles: number;
  pairs: PairForm;
  /** Files of OpenAI's MRCR, asked beside the suites. */
  mrcr?: readonly string[] | undefined;
  /** A text file to hide needles in. */
  haystack?: string | undefined;
  seed: number;
  thinkingBudget: number;
  /** In place of the context that the model's config tells. */
  contextLimit?: number | undefined;
}

/** How long contexts are to be measured: the flags of `levin eval long`. */
export interface ContextSettings extends ContextSource, SpreadFlags {
  /** A model directory; spark without. */
  model?: string;
  /** Another one that is asked the same. */
  twin?: string;
  backend: string;
  output: string;
}

/** The suites that `--suites` names. Throws SuiteSettingsError. */
export function readSuiteNames(text: string): ContextSuiteName[] {
  if (text === "none") return [];
  return parts(text, (part) => {
    const name = part.trim();
    if (Object.hasOwn(contextSuites, name)) return name as ContextSuiteName;
    const all = Object.keys(contextSuites).join(", ");
    throw new SuiteSettingsError(`--suites: expected names among ${all}, found "${name}"`);
  });
}

/** Lengths such as `512,1k,128k`, where k is 1024. Throws SuiteSettingsError. */
export function readLengths(text: string): number[] {
  return parts(text, (part) => {
    const [, digits, kilo] = /^\s*(\d+)(k?)\s*$/i.exec(part) ?? [];
    const length = Number(digits) * (kilo ? 1024 : 1);
    if (length > 0) return length;
    throw new SuiteSettingsError(
      `--lengths: expected lengths such as 512,1k,128k, found "${part}"`,
    );
  });
}

/** Depths in percent, as 0 to 1. Throws SuiteSettingsError. */
export function readDepths(text: string): number[] {
  return parts(text, (part) => {
    const depth = Number(part) / 100;
    if (part.trim() !== "" && depth >= 0 && depth <= 1) return depth;
    throw new SuiteSettingsError(`--depths: expected percentages from 0 to 100, found "${part}"`);
  });
}

/** What is parted by commas, each value once: the same question twice would count as two. */
function parts<Value>(text: string, read: (part: string) => Value): Value[] {
  return [...new Set(text.split(",").map(read))];
}

/** Those of the settings that decide what an item asks and how it is answered. */
export function decisiveOfContext(settings: ContextSource): Record<string, unknown> {
  const { depths, needles, pairs, seed, thinkingBudget } = settings;
  return { depths, needles, pairs, seed, thinkingBudget };
}

/** What others need to make the same contexts; files by their whole paths. */
export function sourceOf(settings: ContextSettings): ContextSource {
  const { suites, lengths, depths, count, needles, pairs, seed, thinkingBudget } = settings;
  const { haystack, mrcr, contextLimit } = settings;
  return {
    ...{ suites, lengths, depths, count, needles, pairs, seed, thinkingBudget },
    ...(haystack !== undefined && { haystack: resolve(haystack) }),
    ...(mrcr && { mrcr: mrcr.map((path) => resolve(path)) }),
    ...(contextLimit !== undefined && { contextLimit }),
  };
}
