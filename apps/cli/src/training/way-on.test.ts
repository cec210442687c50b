import { LogitsError } from "@levin/model";
import { DivergedError } from "@levin/training";
import { expect, it } from "vitest";
import { withWayOn } from "./way-on.ts";

it("says how to go on after a divergence, and leaves other errors alone", () => {
  const logits = new LogitsError("expected finite logits, found NaN for token 0");
  expect(withWayOn(logits, 6)).toEqual(
    new DivergedError(
      `${logits.message}; the checkpoint of step 6 is kept: go on with a lower learningRate`,
      { cause: logits },
    ),
  );
  const other = new RangeError("no");
  expect(withWayOn(other, 6)).toBe(other);
});
