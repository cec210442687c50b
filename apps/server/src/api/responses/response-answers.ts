import type { ChatMessage } from "@levin/tokenizer";
import type { FastifyReply, FastifyRequest } from "fastify";
import { generationSettings } from "../../generation-settings.ts";
import type { GenerationService } from "../../scheduling/generation-service.ts";
import { answerSteps, checkRoom, type AnswerStep } from "../answers.ts";
import { chatPromptIds } from "../chat-prompt.ts";
import { clientSignal } from "../event-stream.ts";
import { checkModel } from "../models.ts";
import { formatConstraint } from "../format-constraint.ts";
import { toolConstraint } from "../tool-constraint.ts";
import { toolDefinitions, usesTools, type ToolUse } from "../tools.ts";
import { wantsLogprobs, type ResponseRequest } from "./response-request.ts";

/** An answer to a checked request. */
export interface ResponseAnswers {
  /** @throws ApiError (404) when another model is asked for */
  check(body: ResponseRequest): void;
  /**
   * Begins the answer to a conversation; what is wrong with the request is thrown before.
   * @param messages all of it, instructions first
   */
  begin(
    body: ResponseRequest,
    messages: readonly ChatMessage[],
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<AsyncIterable<AnswerStep>>;
}

/** Answers by the model of this server. */
export function modelAnswers(service: GenerationService): ResponseAnswers {
  const { served } = service;
  return {
    check: ({ model }) => checkModel(model, served.modelId),
    begin(body, messages, request, reply) {
      const use = toolUseOf(body);
      const ids = chatPromptIds(messages, toolDefinitions(use), served, { param: "input" });
      const constraint = toolConstraint(use, formatConstraintOf(body));
      const settings = generationSettings(asChat(body), served, ids.length, "input");
      const questions = [{ ids, settings: { ...settings, constraint } }];
      checkRoom(service, questions, request);
      const tools = usesTools(use);
      return Promise.resolve(
        answerSteps(service, questions, clientSignal(reply), request, { tools }),
      );
    },
  };
}

function toolUseOf(body: ResponseRequest): ToolUse {
  return {
    functions: body.tools ?? [],
    ...toolChoice(body.tool_choice ?? "auto"),
    parallel: body.parallel_tool_calls ?? true,
  };
}

function toolChoice(
  choice: NonNullable<ResponseRequest["tool_choice"]>,
): Pick<ToolUse, "choice" | "allowed"> {
  if (typeof choice === "string") return { choice };
  if (choice.type === "function") return { choice: { name: choice.name } };
  return { choice: choice.mode, allowed: choice.tools.map(({ name }) => name) };
}

function formatConstraintOf({ text }: ResponseRequest) {
  const format = text?.format;
  return formatConstraint(
    format?.type === "json_schema" ? { type: format.type, json_schema: format } : format,
    "text.format",
  );
}

/** The same in the words of chat completions. */
function asChat(body: ResponseRequest): Parameters<typeof generationSettings>[0] {
  const { max_output_tokens, reasoning, reasoning_effort, ...shared } = body;
  return {
    ...shared,
    messages: [],
    tools: undefined,
    tool_choice: undefined,
    stream_options: undefined,
    logprobs: wantsLogprobs(body),
    max_completion_tokens: max_output_tokens,
    reasoning_effort: reasoning?.effort ?? reasoning_effort,
  };
}
