import { describe, expect, it } from "vitest";
import { readBatchInput } from "./batch-input.ts";

async function* pieces(text: string, size = 2 ** 16): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}

describe("the lines of a batch's file", () => {
  it.each([
    ["longer than a request may be", "x".repeat(8 * 2 ** 20 + 1), "line_too_long"],
    ["nested deeper than a request may be", "[".repeat(2 ** 20), "invalid_line"],
  ])("are refused when they are %s", async (_, line, code) => {
    const { items, errors } = await readBatchInput(pieces(line), "/v1/embeddings");
    expect(items).toEqual([]);
    expect(errors).toMatchObject([{ code, line: 1 }]);
  });

  it("are handed on as JSON of what workers need", async () => {
    const item = { custom_id: "a", url: "/v1/embeddings", body: { model: "m", input: "ÄÖ" } };
    const text = `${JSON.stringify({ ...item, method: "POST", other: 1 })}\n\n`;
    const { items, errors } = await readBatchInput(pieces(text, 7), "/v1/embeddings");
    expect(errors).toEqual([]);
    expect(items.map((each) => JSON.parse(each) as unknown)).toEqual([item]);
  });
});
