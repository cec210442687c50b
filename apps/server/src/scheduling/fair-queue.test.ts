import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { FairQueue, type Place } from "./fair-queue.ts";

const open = new AbortController().signal;
const limits = { places: 2, capacity: 6, tokens: 100 };

/** Lets requests enter, and tells in which order they got their places. */
function start(queue: FairQueue) {
  const order: string[] = [];
  const places: Place[] = [];
  const enter = (request: string, tokens = 1, signal = open): Promise<void> =>
    queue.enter(request[0]!, tokens, signal).then((place) => {
      if (!place) return;
      order.push(request);
      places.push(place);
    });
  /** The one that has been in its place for longest leaves. */
  const leave = async (): Promise<void> => {
    await setImmediate();
    places.shift()!.leave();
    await setImmediate();
  };
  return { order, places, enter, leave };
}

describe("a fair queue", () => {
  it("gives each client its turn, however many one of them asks for", async () => {
    const queue = new FairQueue({ ...limits, places: 1, capacity: 100 });
    const { order, enter, leave } = start(queue);
    const all = ["a1", "a2", "a3", "a4", "b1", "b2", "c1"].map((request) => enter(request));
    for (const _ of all) await leave();
    expect(order).toEqual(["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
    expect([queue.running, queue.waiting, queue.waitingTokens]).toEqual([0, 0, 0]);
  });

  it("prefers clients with fewer places", async () => {
    const { order, enter, leave } = start(new FairQueue({ ...limits, places: 3 }));
    for (const request of ["b1", "a1", "a2", "a3", "b2"]) void enter(request);
    await setImmediate();
    expect(order).toEqual(["b1", "a1", "a2"]);
    await leave();
    expect(order.at(-1)).toBe("b2");
  });

  it("keeps room for others when one client alone fills it", () => {
    const queue = new FairQueue({ ...limits, capacity: 27 });
    const enterAll = (client: string): number => {
      for (let count = 0; ; count++) {
        if (!queue.hasRoom(client, { tokens: 1 })) return count;
        void queue.enter(client, 1, open);
      }
    };
    // Two places and two thirds; then two thirds of what is left, and so on.
    expect(["a", "b", "c", "d", "e"].map(enterAll)).toEqual([20, 6, 2, 1, 0]);
    expect(queue.waiting).toBe(27);
  });

  it("has room for several requests only if it has for each in turn", () => {
    for (let asked = 1; asked < 9; asked++) {
      const [together, singly] = [new FairQueue(limits), new FairQueue(limits)];
      let entered = 0;
      for (; entered < asked && singly.hasRoom("a"); entered++) void singly.enter("a", 1, open);
      expect(together.hasRoom("a", { requests: asked })).toBe(entered === asked);
    }
  });

  it("lets no more tokens wait than it may, but one prompt of any length", () => {
    const queue = new FairQueue(limits);
    for (const tokens of [500, 500]) void queue.enter("a", tokens, open);
    expect(queue.waitingTokens).toBe(0);
    expect(queue.hasRoom("a", { tokens: 500 })).toBe(true);
    void queue.enter("a", 500, open);
    expect(queue.waitingTokens).toBe(500);
    expect(queue.hasRoom("b", { tokens: 1 })).toBe(false);
  });

  it("forgets who gives up, before and while waiting", async () => {
    const queue = new FairQueue({ ...limits, places: 1 });
    const { order, places, enter, leave } = start(queue);
    const [gone, leaving] = [AbortSignal.abort(), new AbortController()];
    await enter("a1");
    await enter("b1", 5, gone);
    const waiting = enter("b2", 5, leaving.signal);
    void enter("c1", 7);
    expect([queue.waiting, queue.waitingTokens]).toEqual([2, 12]);
    leaving.abort();
    await waiting;
    expect([queue.waiting, queue.waitingTokens]).toEqual([1, 7]);
    await leave();
    expect(order).toEqual(["a1", "c1"]);
    expect(places).toHaveLength(1);
  });
});
