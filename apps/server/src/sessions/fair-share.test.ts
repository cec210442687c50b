import { expect, it } from "vitest";
import { fairShare } from "./state-quota.ts";

it.each([
  [[], 100, Infinity],
  [[40, 60], 100, Infinity],
  [[40, 61], 100, 60],
  [[900], 100, 100],
  [[1000, 10, 1000], 110, 50],
  [[30, 10, 1000, 500], 240, 100],
  [[50, 50, 50], 100, 33],
])("shares: of %j within %d each may have %d", (sizes, all, share) => {
  expect(fairShare(sizes, all)).toBe(share);
});
