import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toolCallsText } from "./tool-calls.ts";
import { ToolCallStream } from "./tool-call-stream.ts";

/** What a stream makes of an answer that comes in pieces of these lengths. */
function read(answer: string, lengths: Iterable<number>) {
  const stream = new ToolCallStream();
  const pieces = [];
  let rest = answer;
  for (const length of lengths) {
    if (rest === "") break;
    pieces.push(...stream.push(rest.slice(0, length)));
    rest = rest.slice(length);
  }
  pieces.push(...stream.push(rest), ...stream.end());
  let content = "";
  const calls: { name: string; arguments: string }[] = [];
  for (const piece of pieces) {
    if ("content" in piece) content += piece.content;
    else if ("name" in piece) calls[piece.call] = { name: piece.name, arguments: "" };
    else calls[piece.call]!.arguments += piece.arguments;
  }
  return { content, calls, pieces };
}

const cut = fc.infiniteStream(fc.integer({ min: 1, max: 7 }));

describe("a stream of calls", () => {
  it("finds in any pieces the text and the calls that were written, arguments to the letter", () => {
    const call = fc.record({
      name: fc.string({ minLength: 1 }),
      arguments: fc
        .tuple(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 2))
        .map(([values, indent]) => JSON.stringify(values, null, indent)),
    });
    const text = fc.string().filter((t) => !t.includes("<tool_calls>") && t.trim() === t);
    fc.assert(
      fc.property(
        text,
        fc.array(call, { minLength: 1, maxLength: 3 }),
        cut,
        (said, calls, lengths) => {
          const written = toolCallsText(calls.map((fn) => ({ function: fn })));
          const found = read(`${said}\n${written}\n`, lengths);
          expect(found.content).toBe(said);
          expect(found.calls).toEqual(calls);
        },
      ),
    );
  });

  it("leaves text alone that has no call", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom("", "<tool", "<tool_calls", " <<", "\n"),
        cut,
        (a, b, lengths) => {
          expect(read(`${a}${b}`, lengths).content).toBe(`${a}${b}`);
        },
      ),
    );
  });

  it("gives arguments on while they are written, and as far as they came", () => {
    const { pieces, calls, content } = read(
      '<tool_calls>\n{"name": "f", "arguments": {"a": "long text", "b',
      Array<number>(100).fill(1),
    );
    expect(pieces.length).toBeGreaterThan(15);
    expect(calls).toEqual([{ name: "f", arguments: '{"a": "long text", "b' }]);
    expect(content).toBe("");
  });

  it("knows calls in another order or without arguments, and takes all else for text", () => {
    const between = (lines: string): string => `<tool_calls>\n${lines}\n</tool_calls>`;
    expect(
      read(between('{"arguments": {"a": 1}, "name": "f"}\n{"name": "g"}'), [3, 50]).calls,
    ).toEqual([
      { name: "f", arguments: '{"a":1}' },
      { name: "g", arguments: "{}" },
    ]);
    for (const wrong of ["I would call f", '{"a": 1}', "{oops}", "[]"]) {
      expect(read(between(wrong), [4, 4, 20])).toMatchObject({ calls: [] });
      expect(read(between(wrong), [4, 4, 20]).content).toContain(wrong);
    }
  });
});
