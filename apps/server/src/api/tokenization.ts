import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { ServedModel } from "../served-model.ts";
import { chatMessages, chatPromptIds } from "./chat-prompt.ts";
import { chatMessageList, parseBody, tokenIds } from "./completion-requests.ts";
import { checkModel } from "./models.ts";
import { about } from "./openapi.ts";
import { promptIds } from "./prompt-ids.ts";
import { ignored } from "./request-fields.ts";
import { toolDefinitions, toolFields, toolUse } from "./tools.ts";

/** Body of `POST /tokenize`: vLLM's form (`prompt` or `messages`), or llama.cpp's (`content`). */
const tokenizeSchema = z
  .strictObject({
    model: z.string().nullish(),
    prompt: z.string().optional(),
    messages: chatMessageList.optional(),
    tools: toolFields.tools,
    /** This model has no tokens that it puts before every text. */
    add_special_tokens: ignored,
    add_generation_prompt: z.boolean().nullish(),
    return_token_strs: z.boolean().nullish(),
    content: z.string().optional(),
    add_special: ignored,
    /** Whether `<think>` and the like are read as marks; default true. */
    parse_special: z.boolean().nullish(),
    with_pieces: z.boolean().nullish(),
  })
  .refine(
    (body) =>
      [body.prompt, body.messages, body.content].filter((one) => one !== undefined).length === 1,
    "expected one of prompt, messages and content",
  );

/** Body of `POST /detokenize`. */
const detokenizeSchema = z.strictObject({
  model: z.string().nullish(),
  tokens: z.union([z.tuple([]), tokenIds], { error: "expected a list of token ids" }),
});

const tokenId = z.int().min(0);

/** Text, or the bytes of a part of a character. */
const piece = z.union([z.string(), z.array(z.int().min(0).max(255))]);

/** In vLLM's form, or in llama.cpp's for a body with `content`. */
const tokensSchema = z.union([
  z.object({
    count: z.int().min(0),
    max_model_len: z.int(),
    tokens: z.array(tokenId),
    /** As they are spelled in the vocabulary, where `Ġ` is a space. */
    token_strs: z.array(z.string()).nullable(),
  }),
  z.object({
    tokens: z.union([z.array(tokenId), z.array(z.object({ id: tokenId, piece }))]),
  }),
]);

/** vLLM calls it prompt, llama.cpp content. */
const textSchema = z.object({ prompt: z.string(), content: z.string() });

type TokenizeRequest = z.output<typeof tokenizeSchema>;

/** `POST /tokenize` and `/detokenize`, for clients of vLLM and of llama.cpp. */
export function tokenization(app: FastifyInstance, served: ServedModel): void {
  const { tokenizer } = served;
  const toTokens = about("Tokens of a text or a conversation", {
    body: tokenizeSchema,
    reply: tokensSchema,
  });
  app.post("/tokenize", toTokens, (request): z.output<typeof tokensSchema> => {
    const body = parseBody(tokenizeSchema, request.body);
    if (body.model != null) checkModel(body.model, served.modelId);
    const tokens = tokensOf(body, served);
    if (body.content !== undefined) {
      const withPieces = () =>
        tokens.map((id) => ({ id, piece: pieceOf(tokenizer.tokenBytes(id)) }));
      return { tokens: body.with_pieces ? withPieces() : tokens };
    }
    return {
      count: tokens.length,
      max_model_len: served.model.config.maxPositionEmbeddings,
      tokens,
      token_strs: body.return_token_strs ? tokens.map((id) => tokenizer.idToToken(id)!) : null,
    };
  });
  const toText = about("The text of tokens", { body: detokenizeSchema, reply: textSchema });
  app.post("/detokenize", toText, (request): z.output<typeof textSchema> => {
    const { model, tokens } = parseBody(detokenizeSchema, request.body);
    if (model != null) checkModel(model, served.modelId);
    const text = tokenizer.decode(promptIds(tokens, "tokens", served));
    return { prompt: text, content: text };
  });
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A token's text; its bytes where they are a part of a character. */
function pieceOf(bytes: Uint8Array): string | number[] {
  try {
    return utf8.decode(bytes);
  } catch {
    return [...bytes];
  }
}

/** Texts are counted that are longer than the context, but not however long. */
const countedContexts = 4;

function tokensOf(body: TokenizeRequest, served: ServedModel): number[] {
  const maxTokens = countedContexts * served.model.config.maxPositionEmbeddings;
  if (body.messages) {
    const options = { addGenerationPrompt: body.add_generation_prompt ?? true, maxTokens };
    const tools = toolDefinitions(toolUse(body));
    return chatPromptIds(chatMessages(body.messages), tools, served, options);
  }
  const param = body.prompt === undefined ? "content" : "prompt";
  const parseSpecialTokens = body.parse_special ?? true;
  return promptIds((body.prompt ?? body.content)!, param, served, {
    parseSpecialTokens,
    maxTokens,
  });
}
