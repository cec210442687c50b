import { z } from "zod";
import { jsonSchemaOf } from "./json-schema-of.ts";

/** Messages of a conversation, and parts of a message: more than anyone has sent in earnest. */
const maximalItems = 10_000;

/**
 * A list whose length is checked first: with a problem reported for each of millions of items, one
 * request would hold up the server for long and take gigabytes.
 */
export function shortList<Item extends z.ZodType>(item: Item, longest = maximalItems) {
  return z
    .array(z.unknown())
    .max(longest)
    .pipe(z.array(item))
    .meta({ items: jsonSchemaOf(item) });
}

/**
 * Message text, or a list of text parts, which are joined: templates read one text per message.
 * @param types what text parts are called
 */
export function messageText(...types: [string, ...string[]]) {
  const textParts = shortList(
    z.object({
      type: z.enum(types, { error: "only text parts are supported" }),
      text: z.string(),
    }),
  );
  return z
    .unknown()
    .transform((value, context) => {
      if (typeof value === "string") return value;
      const parts = textParts.safeParse(value);
      if (parts.success) return parts.data.map((part) => part.text).join("");
      const [issue] = parts.error.issues;
      const inside = Array.isArray(value) && issue !== undefined;
      context.addIssue({
        code: "custom",
        message: inside ? issue.message : "expected a text or a list of text parts",
        path: inside ? issue.path : [],
      });
      return z.NEVER;
    })
    .meta({ anyOf: [{ type: "string" }, jsonSchemaOf(textParts)] });
}
