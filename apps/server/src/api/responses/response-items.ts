import { randomUUID } from "node:crypto";
import type { ChatMessage } from "@levin/tokenizer";
import { z } from "zod";
import { pageAfter } from "../page-after.ts";
import type { ItemForm } from "./output-items.ts";
import { itemMessages } from "./response-messages.ts";
import { inputItem, type ResponseRequest } from "./response-request.ts";

/** The items that a request adds to a conversation, each with an id. */
export function inputForms(input: ResponseRequest["input"]): ItemForm[] {
  const items = typeof input === "string" ? [{ role: "user" as const, content: input }] : input;
  return items.flatMap((item): ItemForm[] => {
    if (!("role" in item)) {
      if (item.type === "reasoning") return [];
      const prefix = item.type === "function_call" ? "fc" : "fco";
      return [{ id: `${prefix}_${randomUUID()}`, ...item, status: "completed" }];
    }
    const { role, content: text } = item;
    const part =
      role === "assistant"
        ? { type: "output_text", text, annotations: [], logprobs: [] }
        : { type: "input_text", text };
    const id = `msg_${randomUUID()}`;
    return [{ id, type: "message", status: "completed", role, content: [part] }];
  });
}

const items = z.array(inputItem);

/** The messages of a conversation's items: those of outputs are items of an input too. */
export function messagesOf(forms: readonly object[]): ChatMessage[] {
  return itemMessages(items.parse(forms));
}

/** Query of `GET /v1/responses/{id}/input_items`. */
export const itemPageSchema = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  order: z.enum(["asc", "desc"], "expected asc or desc").default("desc"),
  after: z.string().optional(),
});

/**
 * A page of items, in the form of OpenAI's lists.
 * @throws ApiError (400) when `after` is none of them
 */
export function itemPage(
  forms: readonly ItemForm[],
  { order, ...page }: z.output<typeof itemPageSchema>,
): object {
  return pageAfter(order === "asc" ? forms : forms.toReversed(), page, "an input item");
}
