import type { GenerationResult } from "@levin/model";
import type { FastifyInstance } from "fastify";
import type { GenerationService } from "../generation-service.ts";
import { generationSettings } from "../generation-settings.ts";
import type { ServedModel } from "../served-model.ts";
import { answerParts, type AnswerPart } from "./answer-parts.ts";
import { ApiError } from "./api-error.ts";
import { parseTextRequest, type TextRequest } from "./completion-requests.ts";
import { clientSignal, sendEventStream } from "./event-stream.ts";
import { checkModel } from "./models.ts";
import { checkTextLength } from "./prompt-length.ts";
import { collectAnswer, ending, replyHead, usageOf } from "./reply-forms.ts";
import { streamSteps } from "./stream-steps.ts";
import type { ChatTokenLogprob } from "./token-logprobs.ts";

type Parts = AsyncGenerator<AnswerPart, GenerationResult>;

/** `POST /v1/completions`: continues a text; a thought in it is reported apart from the text. */
export function textCompletions(
  app: FastifyInstance,
  service: GenerationService,
  stallTimeout: number,
): void {
  const { served } = service;
  app.post("/v1/completions", async (request, reply) => {
    const body = parseTextRequest(request.body);
    checkModel(body.model, served.modelId);
    const ids = promptIds(body.prompt, served);
    const settings = generationSettings(body, served, ids.length);
    service.checkRoom();
    const events = service.generate(ids, settings, clientSignal(reply));
    const parts = answerParts(events, served.tokenizer);
    return body.stream
      ? sendEventStream(reply, chunks(body, parts), stallTimeout)
      : completion(body, parts);
  });
}

function promptIds(prompt: TextRequest["prompt"], served: ServedModel): number[] {
  if (typeof prompt === "string") {
    checkTextLength([prompt], "prompt", served);
    return served.tokenizer.encode(prompt);
  }
  const { vocabSize } = served.model.config;
  const unknown = prompt.find((id) => id >= vocabSize);
  if (unknown === undefined) return prompt;
  throw new ApiError(400, `prompt: expected token ids in 0..${vocabSize - 1}, found ${unknown}`, {
    param: "prompt",
  });
}

async function completion(body: TextRequest, parts: Parts): Promise<object> {
  const head = replyHead("cmpl", "text_completion", body.model);
  const { reasoning, content, logprobs, result } = await collectAnswer(parts);
  const choice = {
    index: 0,
    text: content,
    ...(reasoning !== "" && { reasoning_content: reasoning }),
    logprobs: body.logprobs == null ? null : logprobLists(logprobs, 0),
    ...ending(result),
  };
  return { ...head, choices: [choice], usage: usageOf(result) };
}

async function* chunks(body: TextRequest, parts: Parts): AsyncGenerator<object> {
  const head = replyHead("cmpl", "text_completion", body.model);
  const withUsage = body.stream_options?.include_usage === true;
  const chunk = (choice: object): object => ({
    ...head,
    choices: [{ index: 0, text: "", logprobs: null, finish_reason: null, ...choice }],
    ...(withUsage && { usage: null }),
  });
  let offset = 0;
  for await (const step of streamSteps(parts)) {
    if (step.result !== undefined) {
      yield chunk(ending(step.result));
      if (withUsage) yield { ...head, choices: [], usage: usageOf(step.result) };
      return;
    }
    const { reasoning, content = "", logprobs } = step.item;
    yield reasoning === undefined
      ? chunk({ text: content, ...(logprobs && { logprobs: logprobLists(logprobs, offset) }) })
      : chunk({ reasoning_content: reasoning });
    offset += content.length;
  }
}

/** The older form of log-probabilities: a list of each field. */
function logprobLists(logprobs: readonly ChatTokenLogprob[], start: number): object {
  let offset = start;
  const offsets = logprobs.map(({ token }) => (offset += token.length) - token.length);
  return {
    tokens: logprobs.map(({ token }) => token),
    token_logprobs: logprobs.map(({ logprob }) => logprob),
    top_logprobs: logprobs.map(({ top_logprobs: top }) =>
      Object.fromEntries(top.map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: offsets,
  };
}
