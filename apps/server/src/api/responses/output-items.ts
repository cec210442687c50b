import { randomUUID } from "node:crypto";
import type { ChatTokenLogprob } from "../reply-schemas.ts";

/** An event of a streamed response, without its number. */
export interface ItemEvent {
  type: string;
  [field: string]: unknown;
}

/** An item of a conversation as clients read it. */
export interface ItemForm {
  id: string;
  type: string;
  [field: string]: unknown;
}

/** One item of a response's output while it is written. */
export interface OutputItem {
  begin(): ItemEvent[];
  /** @param logprobs of the tokens of the text, if they were asked for */
  add(text: string, logprobs?: readonly ChatTokenLogprob[]): ItemEvent[];
  end(status: ItemStatus): ItemEvent[];
  /** The item as it is now. */
  toJson(): ItemForm;
}

type ItemStatus = "completed" | "incomplete";

/** The text of an answer, or of a thought. */
export class TextItem implements OutputItem {
  readonly #kind: "reasoning" | "message";
  readonly #id: string;
  readonly #place: { item_id: string; output_index: number; content_index: number };
  readonly #logprobs: ChatTokenLogprob[] = [];
  #text = "";
  #status = "in_progress";

  constructor(kind: "reasoning" | "message", index: number) {
    this.#kind = kind;
    this.#id = `${kind === "message" ? "msg" : "rs"}_${randomUUID()}`;
    this.#place = { item_id: this.#id, output_index: index, content_index: 0 };
  }

  begin(): ItemEvent[] {
    const { output_index } = this.#place;
    const item = { ...this.#shell(), content: [] };
    return [
      { type: "response.output_item.added", output_index, item },
      { type: "response.content_part.added", ...this.#place, part: this.#part() },
    ];
  }

  add(delta: string, logprobs: readonly ChatTokenLogprob[] = []): ItemEvent[] {
    this.#text += delta;
    this.#logprobs.push(...logprobs);
    return [
      { type: `${this.#name()}.delta`, ...this.#place, delta, ...this.#withLogprobs(logprobs) },
    ];
  }

  end(status: ItemStatus): ItemEvent[] {
    this.#status = status;
    const { output_index } = this.#place;
    return [
      { type: `${this.#name()}.done`, ...this.#place, text: this.#text, ...this.#withLogprobs() },
      { type: "response.content_part.done", ...this.#place, part: this.#part() },
      { type: "response.output_item.done", output_index, item: this.toJson() },
    ];
  }

  toJson(): ItemForm {
    return { ...this.#shell(), content: [this.#part()] };
  }

  #name(): string {
    return this.#kind === "message" ? "response.output_text" : "response.reasoning_text";
  }

  /** Thoughts have none. */
  #withLogprobs(logprobs: readonly ChatTokenLogprob[] = this.#logprobs): object {
    return this.#kind === "message" ? { logprobs } : {};
  }

  #shell(): ItemForm {
    const shell = { id: this.#id, type: this.#kind, status: this.#status };
    return this.#kind === "message" ? { ...shell, role: "assistant" } : { ...shell, summary: [] };
  }

  #part(): object {
    return this.#kind === "message"
      ? { type: "output_text", text: this.#text, annotations: [], ...this.#withLogprobs() }
      : { type: "reasoning_text", text: this.#text };
  }
}

/** A call of a function. */
export class CallItem implements OutputItem {
  readonly #call: { id: string; name: string };
  readonly #place: { item_id: string; output_index: number };
  #arguments = "";
  #status = "in_progress";

  /** @param call its id, and the name of the function */
  constructor(call: { id: string; name: string }, index: number) {
    this.#call = call;
    this.#place = { item_id: `fc_${randomUUID()}`, output_index: index };
  }

  begin(): ItemEvent[] {
    const { output_index } = this.#place;
    return [{ type: "response.output_item.added", output_index, item: this.toJson() }];
  }

  add(delta: string): ItemEvent[] {
    this.#arguments += delta;
    return [{ type: "response.function_call_arguments.delta", ...this.#place, delta }];
  }

  end(status: ItemStatus): ItemEvent[] {
    this.#status = status;
    const { output_index } = this.#place;
    const { name } = this.#call;
    const whole = { ...this.#place, name, arguments: this.#arguments };
    return [
      { type: "response.function_call_arguments.done", ...whole },
      { type: "response.output_item.done", output_index, item: this.toJson() },
    ];
  }

  toJson(): ItemForm {
    return {
      id: this.#place.item_id,
      type: "function_call",
      status: this.#status,
      call_id: this.#call.id,
      name: this.#call.name,
      arguments: this.#arguments,
    };
  }
}
