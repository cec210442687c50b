import { expect, it } from "vitest";
import { PlaceTime } from "./place-time.ts";

it("a place is expected free after the mean time over the places, 1 to 60 seconds", () => {
  const time = new PlaceTime();
  expect(time.untilFree(8)).toBe(1);
  time.add(40);
  expect(time.untilFree(8)).toBe(5);
  expect(time.untilFree(1)).toBe(40);
  for (let i = 0; i < 50; i++) time.add(8);
  expect(time.untilFree(2)).toBe(5);
  for (let i = 0; i < 50; i++) time.add(10_000);
  expect(time.untilFree(2)).toBe(60);
});
