import type { ResponseAnswers } from "../api/responses/response-answers.ts";
import { wantsLogprobs, type ResponseRequest } from "../api/responses/response-request.ts";
import { askEngine, stepsOf, type EngineRequest } from "./upstream-chat.ts";
import type { Upstreams } from "./upstreams.ts";

/** Responses by chat completions of other engines: any of them can go on from any response. */
export function upstreamResponses(upstreams: Upstreams): ResponseAnswers {
  return {
    check: ({ model }) => upstreams.checkModel(model),
    async begin(body, messages, request, reply) {
      const asked = { ...chatRequest(body), messages };
      return stepsOf(await askEngine(upstreams, asked, request, reply));
    },
  };
}

/** What is said in the words of responses, in those of chat completions. */
function chatRequest(body: ResponseRequest): Omit<EngineRequest, "messages"> & { model: string } {
  const { model, stream, tools, tool_choice: choice, reasoning } = body;
  const { temperature, top_p, top_k, min_p, repetition_penalty, seed, thinking_budget } = body;
  const { presence_penalty, frequency_penalty, parallel_tool_calls } = body;
  const hasTools = tools != null && tools.length > 0;
  const fields = {
    stream,
    temperature,
    top_p,
    top_k,
    min_p,
    repetition_penalty,
    seed,
    thinking_budget,
    presence_penalty,
    frequency_penalty,
    max_completion_tokens: body.max_output_tokens,
    reasoning_effort: reasoning?.effort ?? body.reasoning_effort,
    response_format: responseFormat(body),
    ...(wantsLogprobs(body) && { logprobs: true, top_logprobs: body.top_logprobs }),
    ...(hasTools && {
      tools: tools.map(({ type, ...definition }) => ({ type, function: definition })),
      tool_choice: chatChoice(choice),
      parallel_tool_calls,
    }),
  };
  const said = Object.entries(fields).filter(([, value]) => value != null);
  return { model, ...Object.fromEntries(said) };
}

function chatChoice(choice: ResponseRequest["tool_choice"]): unknown {
  const named = ({ name }: { name: string }) => ({ type: "function", function: { name } });
  if (choice == null || typeof choice === "string") return choice;
  if (choice.type === "function") return named(choice);
  const { type, mode, tools } = choice;
  return { type, allowed_tools: { mode, tools: tools.map(named) } };
}

function responseFormat({ text }: ResponseRequest): object | undefined {
  const format = text?.format;
  if (!format || format.type === "text") return undefined;
  if (format.type === "json_object") return format;
  const { type, name = "response", ...form } = format;
  return { type, json_schema: { name, ...form } };
}
