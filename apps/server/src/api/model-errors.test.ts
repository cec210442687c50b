import { OutOfMemoryError } from "@levin/kernels/node";
import {
  ConstraintError,
  GenerationOptionsError,
  PromptTooLongError,
  TokenBatchError,
} from "@levin/model";
import { StageError } from "@levin/model/node";
import { TokenizerError } from "@levin/tokenizer";
import { expect, it } from "vitest";
import { toApiError } from "./error-handling.ts";

it.each([
  [new PromptTooLongError(10, 20), 400, "context_length_exceeded"],
  [new ConstraintError("why"), 400, null],
  [new GenerationOptionsError("why"), 400, null],
  [new TokenBatchError("why"), 400, null],
  [new TokenizerError("why"), 400, null],
  [new OutOfMemoryError("why"), 503, "out_of_memory"],
  [new StageError("why"), 503, "stage_failed"],
])("tells clients what is wrong: %s", (error, status, code) => {
  expect(toApiError(error)).toMatchObject({ status, code, message: error.message });
});

it("tells clients nothing of other errors", () => {
  expect(toApiError(new RangeError("a secret"))).toMatchObject({
    status: 500,
    code: "internal_error",
    message: expect.not.stringContaining("secret"),
  });
});
