import { z } from "zod";
import { invalidBody } from "../api/api-error.ts";

const title = z.string().trim().min(1).max(200, "expected at most 200 characters");

/** As OpenAI bounds it. */
export const metadata = z
  .record(z.string().max(64), z.string().max(512))
  .refine((object) => Object.keys(object).length <= 16, "expected at most 16 keys");

export const createSchema = z.strictObject({
  title: title.nullish(),
  metadata: metadata.nullish(),
  /** Text of a system message that the session begins with. */
  system: z.string().min(1).nullish(),
});

export const updateSchema = z
  .strictObject({ title: title.nullable().optional(), metadata: metadata.optional() })
  .refine((body) => Object.keys(body).length > 0, "expected title or metadata, found neither");

export const forkSchema = z.strictObject({
  /** Index of the last message that the fork has; default: all. */
  message: z.int().min(0).nullish(),
  title: title.nullish(),
});

export const listSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  after: z.string().optional(),
  query: z.string().max(200).optional(),
});

/** @throws ApiError (400) naming the first wrong parameter */
export const parseCreate = parser(createSchema.default({}));
/** @throws ApiError (400) naming the first wrong parameter */
export const parseUpdate = parser(updateSchema);
/** @throws ApiError (400) naming the first wrong parameter */
export const parseFork = parser(forkSchema.default({}));
/** @throws ApiError (400) naming the first wrong parameter */
export const parseList = parser(listSchema);

/** Checks a body; none is as good as an empty one where nothing is needed. */
function parser<Schema extends z.ZodType>(schema: Schema): (body: unknown) => z.output<Schema> {
  return (body) => {
    const result = schema.safeParse(body ?? undefined);
    if (!result.success) throw invalidBody(result.error);
    return result.data;
  };
}
