import type { FastifyInstance } from "fastify";
import type { GenerationService } from "../scheduling/generation-service.ts";
import { generationSettings } from "../generation-settings.ts";
import { answerSteps, checkRoom, repeated, type AnswerStep } from "./answers.ts";
import { parseBody, textSchema, type TextRequest } from "./completion-requests.ts";
import { clientSignal, sendEventStream } from "./event-stream.ts";
import { checkModel } from "./models.ts";
import { promptIds } from "./prompt-ids.ts";
import { about } from "./openapi.ts";
import { ending, replyHead, usageOf, type AnswerEnd } from "./reply-forms.ts";
import {
  textChunkSchema,
  textCompletionSchema,
  type ChatTokenLogprob,
  type LogprobLists,
  type TextChunk,
  type TextCompletion,
} from "./reply-schemas.ts";
import { answerConstraint } from "./answer-constraint.ts";
import { wholeAnswers, type WholeAnswer } from "./whole-answers.ts";

/** `POST /v1/completions`: continues texts; a thought in one is reported apart from the text. */
export function textCompletions(
  app: FastifyInstance,
  service: GenerationService,
  stallTimeout: number,
): void {
  const { served } = service;
  const options = about("Continues texts", {
    body: textSchema,
    reply: textCompletionSchema,
    event: textChunkSchema,
  });
  app.post("/v1/completions", options, async (request, reply) => {
    const body = parseBody(textSchema, request.body);
    checkModel(body.model, served.modelId);
    const constraint = answerConstraint(body);
    const echoes: string[] = [];
    const questions = body.prompt.flatMap((prompt) => {
      const ids = promptIds(prompt, "prompt", served);
      if (body.echo) {
        echoes.push(typeof prompt === "string" ? prompt : served.tokenizer.decode(ids));
      }
      const settings = { ...generationSettings(body, served, ids.length), constraint };
      return repeated(ids, settings, drawn(body));
    });
    checkRoom(service, questions, request);
    const steps = answerSteps(service, questions, clientSignal(reply), request, {
      promptProgress: body.stream === true && body.return_progress === true,
    });
    return body.stream
      ? sendEventStream(reply, chunks(body, steps, echoes), stallTimeout)
      : completion(body, steps, echoes);
  });
}

/** Answers drawn for each prompt. */
function drawn({ n, best_of: bestOf }: TextRequest): number {
  return Math.max(bestOf ?? 1, n ?? 1);
}

/** @param echoes what the answers to each prompt begin with */
async function completion(
  body: TextRequest,
  steps: AsyncIterable<AnswerStep>,
  echoes: readonly string[],
): Promise<TextCompletion> {
  const head = replyHead("cmpl", "text_completion", body.model);
  const groups = chunksOf(await wholeAnswers(steps), drawn(body));
  const choices = groups
    .flatMap((group, prompt) =>
      likeliest(group, body.n ?? 1).map((answer) => ({ answer, echo: echoes[prompt] ?? "" })),
    )
    .map(({ answer, echo }, index) => ({
      index,
      text: echo + answer.content,
      ...(answer.reasoning !== "" && { reasoning_content: answer.reasoning }),
      logprobs: body.logprobs == null ? null : logprobLists(answer.logprobs, 0),
      ...ending(answer.result),
    }));
  const results = groups.map((group) => group.map(({ result }) => result));
  return { ...head, choices, usage: usageOf(results) };
}

async function* chunks(
  body: TextRequest,
  steps: AsyncIterable<AnswerStep>,
  echoes: readonly string[],
): AsyncGenerator<TextChunk> {
  const head = replyHead("cmpl", "text_completion", body.model);
  const withUsage = body.stream_options?.include_usage === true;
  const chunk = (choice: Partial<TextChunk["choices"][number]>): TextChunk => ({
    ...head,
    choices: [{ index: 0, text: "", logprobs: null, finish_reason: null, ...choice }],
    ...(withUsage && { usage: null }),
  });
  const offsets: number[] = [];
  const results: AnswerEnd[] = [];
  const echoed = echoes.flatMap((text) => Array<string>(drawn(body)).fill(text));
  for (const [index, text] of echoed.entries()) yield chunk({ index, text });
  for await (const step of steps) {
    const { choice: index } = step;
    if (step.result !== undefined) {
      results[index] = step.result;
      yield chunk({ index, ...ending(step.result) });
      continue;
    }
    const { reasoning, content = "", logprobs, promptProgress } = step.part;
    if (promptProgress) {
      yield { ...chunk({ index }), prompt_progress: promptProgress };
      continue;
    }
    const offset = offsets[index] ?? 0;
    yield reasoning === undefined
      ? chunk({
          index,
          text: content,
          ...(logprobs && { logprobs: logprobLists(logprobs, offset) }),
        })
      : chunk({ index, reasoning_content: reasoning });
    offsets[index] = offset + content.length;
  }
  if (withUsage) yield { ...head, choices: [], usage: usageOf(chunksOf(results, drawn(body))) };
}

/** The `count` answers whose tokens are the likeliest on average, likeliest first. */
function likeliest(answers: readonly WholeAnswer[], count: number): readonly WholeAnswer[] {
  if (answers.length === count) return answers;
  const score = ({ logprobs }: WholeAnswer): number =>
    logprobs.reduce((sum, { logprob }) => sum + logprob, 0) / Math.max(1, logprobs.length);
  return answers.toSorted((a, b) => score(b) - score(a)).slice(0, count);
}

function chunksOf<Item>(items: readonly Item[], size: number): Item[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** The older form of log-probabilities: a list of each field. */
function logprobLists(logprobs: readonly ChatTokenLogprob[], start: number): LogprobLists {
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
