import { randomUUID } from "node:crypto";
import type { AnswerPart } from "../answer-parts.ts";
import type { AnswerStep } from "../answers.ts";
import { ending, usageOf, type AnswerEnd } from "../reply-forms.ts";
import type { ChatTokenLogprob } from "../reply-schemas.ts";
import {
  CallItem,
  TextItem,
  type ItemEvent,
  type ItemForm,
  type OutputItem,
} from "./output-items.ts";
import type { ResponseRequest } from "./response-request.ts";
import { seconds } from "../seconds.ts";

/** The object that clients get, whole or as it grows. */
export interface ResponseObject {
  id: string;
  object: "response";
  status: "in_progress" | "completed" | "incomplete";
  output: ItemForm[];
  [field: string]: unknown;
}

/** A response at its beginning. */
export function newResponse(request: ResponseRequest): ResponseObject {
  return {
    id: `resp_${randomUUID()}`,
    object: "response",
    created_at: seconds(Date.now()),
    status: "in_progress",
    background: false,
    error: null,
    incomplete_details: null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    metadata: request.metadata ?? {},
    model: request.model,
    output: [],
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: request.previous_response_id ?? null,
    reasoning: { effort: request.reasoning?.effort ?? null, summary: null },
    store: request.store ?? true,
    temperature: request.temperature ?? null,
    text: { format: request.text?.format ?? { type: "text" } },
    tool_choice: request.tool_choice ?? "auto",
    tools: request.tools ?? [],
    top_p: request.top_p ?? null,
    truncation: "disabled",
    usage: null,
    user: null,
  };
}

/** An event of a streamed response; some have all of it that there is. */
export type ResponseEvent = ItemEvent & { response?: ResponseObject };

/** The events of a response, numbered; the last one has the whole of it. */
export async function* responseEvents(
  response: ResponseObject,
  steps: AsyncIterable<AnswerStep>,
): AsyncGenerator<ResponseEvent> {
  let number = 0;
  const numbered = (event: ItemEvent) => ({ ...event, sequence_number: number++ });
  const output = new Output();
  yield { ...numbered({ type: "response.created" }), response };
  yield { ...numbered({ type: "response.in_progress" }), response };
  for await (const step of steps) {
    if (step.result === undefined) {
      for (const event of output.add(step.part)) yield numbered(event);
      continue;
    }
    const status = ending(step.result).finish_reason === "stop" ? "completed" : "incomplete";
    for (const event of output.end(status)) yield numbered(event);
    const whole = finished(response, status, output, step.result);
    yield { ...numbered({ type: `response.${status}` }), response: whole };
  }
}

function finished(
  response: ResponseObject,
  status: "completed" | "incomplete",
  output: Output,
  result: AnswerEnd,
): ResponseObject {
  const usage = usageOf([[result]]);
  return {
    ...response,
    status,
    ...(status === "completed" && { completed_at: seconds(Date.now()) }),
    incomplete_details: status === "completed" ? null : { reason: "max_output_tokens" },
    output: output.items.map((item) => item.toJson()),
    usage: {
      input_tokens: usage.prompt_tokens,
      input_tokens_details: usage.prompt_tokens_details,
      output_tokens: usage.completion_tokens,
      output_tokens_details: usage.completion_tokens_details,
      total_tokens: usage.total_tokens,
    },
  };
}

/** The items of a response, of which the last is being written. */
class Output {
  readonly items: OutputItem[] = [];
  /** What the last item is, or which call. */
  #open: string | undefined;

  add({ reasoning, content, toolCall, logprobs }: AnswerPart): ItemEvent[] {
    if (reasoning !== undefined) {
      return this.#write("reasoning", reasoning, (index) => new TextItem("reasoning", index));
    }
    if (toolCall) {
      const begin = toolCall.begin ?? { id: "", name: "" };
      const make = (index: number) => new CallItem(begin, index);
      return this.#write(`call ${toolCall.index}`, toolCall.arguments, make);
    }
    // A token whose text is held back, as it may be half a character, has its log-probability alone.
    if (content === undefined || (content === "" && !logprobs)) return [];
    return this.#write("message", content, (index) => new TextItem("message", index), logprobs);
  }

  end(status: "completed" | "incomplete"): ItemEvent[] {
    this.#open = undefined;
    return this.items.at(-1)?.end(status) ?? [];
  }

  #write(
    name: string,
    text: string,
    make: (index: number) => OutputItem,
    logprobs?: ChatTokenLogprob[],
  ): ItemEvent[] {
    const events: ItemEvent[] = [];
    if (this.#open !== name) {
      if (this.#open !== undefined) events.push(...this.end("completed"));
      this.#open = name;
      const item = make(this.items.length);
      this.items.push(item);
      events.push(...item.begin());
    }
    const isEmpty = text === "" && !logprobs;
    return isEmpty ? events : [...events, ...this.items.at(-1)!.add(text, logprobs)];
  }
}
