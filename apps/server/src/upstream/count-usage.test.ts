import { describe, expect, it } from "vitest";
import { countedEvents, countUsage } from "./count-usage.ts";

function newCaller() {
  const charged: [number, number][] = [];
  const charge = (prompt: number, answer: number): void => void charged.push([prompt, answer]);
  return { id: "1", name: "one", charged, charge };
}

const event = (data: object): Buffer => Buffer.from(`data: ${JSON.stringify(data)}\n\n`);

async function* from(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}

describe("the use of other engines", () => {
  it.each([
    ["a completion", { usage: { prompt_tokens: 3, completion_tokens: 4 } }, [3, 4]],
    ["embeddings", { usage: { prompt_tokens: 3, total_tokens: 3 } }, [3, 0]],
    ["a response", { usage: { input_tokens: 5, output_tokens: 6 } }, [5, 6]],
  ])("is counted as %s tells it", (_, body, expected) => {
    const caller = newCaller();
    countUsage(caller, Buffer.from(JSON.stringify(body)));
    expect(caller.charged).toEqual([expected]);
  });

  it("is not counted of what tells none", () => {
    const caller = newCaller();
    countUsage(caller, Buffer.from("no JSON"));
    countUsage(caller, Buffer.from(`{"usage": {"prompt_tokens": -1}}`));
    countUsage(undefined, Buffer.from("{}"));
    expect(caller.charged).toEqual([]);
  });

  it("is counted of a stream as its end tells it, and by events where it tells nothing", async () => {
    const pieces = [
      Buffer.concat([event({ choices: [1] }), event({ choices: [2], usage: null })]),
      event({ choices: [3] }),
    ];
    const usage = { prompt_tokens: 7, completion_tokens: 8 };
    for (const [last, expected] of [
      [event({ choices: [], usage }), [7, 8]],
      [event({ type: "response.completed", response: { usage } }), [7, 8]],
      [Buffer.from("data: [DONE]\n\n"), [0, 3]],
    ] as const) {
      const caller = newCaller();
      const passed: Buffer[] = [];
      for await (const bytes of countedEvents(caller, from([...pieces, last]))) passed.push(bytes);
      expect(passed).toEqual([...pieces, last]);
      expect(caller.charged).toEqual([expected]);
    }
  });

  it("is counted of a stream that its client leaves", async () => {
    const caller = newCaller();
    const events = countedEvents(caller, from([event({ a: 1 }), event({ a: 2 })]));
    await events.next();
    await events.return(undefined);
    expect(caller.charged).toEqual([[0, 1]]);
  });
});
