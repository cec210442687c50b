import type { ContextOptions, ContextSuite } from "./context-suite.ts";
import type { Haystack } from "./haystack.ts";
import { keyValueSuite, type PairForm } from "./key-value-suite.ts";
import { mrcrSuite } from "./mrcr-suite.ts";
import { allNeedlesSuite, multiNeedleSuite, needleSuite } from "./needle-suites.ts";

/** What {@link contextSuites} are made of: what is hidden in which text, and how often. */
export type ContextSuiteOptions = ContextOptions & {
  /** Where needles are hidden. */
  haystack: Haystack;
  /** What keys and values are. */
  pairs: PairForm;
};

/**
 * The suites of long contexts by name. Contexts depend on the options alone, not on when they are asked.
 *
 *     const suite = contextSuites["key-value"](options);
 *     const { ids, score } = suite.promptOf(suite.items[0]);
 */
export const contextSuites = {
  needle: needleSuite,
  "multi-needle": multiNeedleSuite,
  "all-needles": allNeedlesSuite,
  "key-value": keyValueSuite,
  mrcr: mrcrSuite,
} satisfies Record<string, (options: ContextSuiteOptions) => ContextSuite>;
