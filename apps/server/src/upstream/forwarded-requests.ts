import { z } from "zod";
import { invalidBody } from "../api/api-error.ts";

/** Parameters beyond these are the engine's to judge: it may know more than this server does. */
const common = {
  model: z.string("expected the id of a model, as /v1/models lists it"),
  stream: z.boolean().nullish(),
};

const chat = z
  .looseObject({
    ...common,
    messages: z.array(z.looseObject({ role: z.string() }), "expected a list of messages"),
    /** Id of a session of this server that the messages are added to. */
    session: z.string().min(1).nullish(),
  })
  .refine(({ messages, session }) => messages.length > 0 || session != null, {
    path: ["messages"],
    error: "expected at least one message, found none",
  });

const text = z.looseObject({
  ...common,
  prompt: z.union([z.string(), z.array(z.unknown()).min(1)], {
    error: "expected a prompt: a text, or a list",
  }),
});

const anyModel = z.looseObject(common);
const tokens = z.looseObject({ model: z.string().optional() });

/** Routes that are passed on, with what their bodies must be. */
export const forwardedRoutes = {
  "/v1/chat/completions": chat,
  "/v1/completions": text,
  "/v1/embeddings": anyModel,
  "/tokenize": tokens,
  "/detokenize": tokens,
};

/** @throws ApiError (400) naming the first wrong parameter */
export function checkedBody(path: keyof typeof forwardedRoutes, body: unknown) {
  const result = forwardedRoutes[path].safeParse(body);
  if (!result.success) throw invalidBody(result.error);
  return result.data;
}
