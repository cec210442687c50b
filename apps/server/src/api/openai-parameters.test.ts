import type OpenAI from "openai";
import { describe, expectTypeOf, it } from "vitest";
import type { z } from "zod";
import type { chatSchema, textSchema } from "./completion-requests.ts";
import type { embeddingsSchema } from "./embeddings.ts";
import type { responseSchema } from "./responses/response-request.ts";

/** Parameters of OpenAI's API that a body of ours does not know of. */
type Missing<Theirs, Ours extends z.ZodType> = Exclude<keyof Theirs, keyof z.input<Ours>>;

describe("every parameter of OpenAI's client", () => {
  it("is honoured, ignored or refused by name", () => {
    expectTypeOf<
      Missing<OpenAI.ChatCompletionCreateParams, typeof chatSchema>
    >().toEqualTypeOf<never>();
    // Else the rest would prove nothing.
    expectTypeOf<Missing<{ nonsense: 1 }, typeof chatSchema>>().toEqualTypeOf<"nonsense">();
    expectTypeOf<
      Missing<OpenAI.CompletionCreateParams, typeof textSchema>
    >().toEqualTypeOf<never>();
    expectTypeOf<
      Missing<OpenAI.EmbeddingCreateParams, typeof embeddingsSchema>
    >().toEqualTypeOf<never>();
    expectTypeOf<
      Missing<OpenAI.Responses.ResponseCreateParams, typeof responseSchema>
    >().toEqualTypeOf<never>();
  });
});
