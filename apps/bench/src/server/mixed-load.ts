import { createRandom } from "@levin/tasks";
import { LostAnswerError, type LoadClient } from "./load-client.ts";
import { questions } from "./questions.ts";

/** What clients do in a soak, and how often of each hundred turns. */
const shares = { short: 30, long: 10, cancelled: 20, session: 20, schema: 10, embeddings: 10 };

export type MixedKind = keyof typeof shares;

interface Completion {
  choices: { message: { content: string | null }; finish_reason: string | null }[];
  usage: { completion_tokens: number };
}

const text = (content: string): object => ({ messages: [{ role: "user", content }] });
const schema = {
  type: "object",
  properties: { sum: { type: "integer", minimum: 0, maximum: 999 } },
  required: ["sum"],
  additionalProperties: false,
};

/** Short and long prompts, broken off streams, sessions and their forks, schemas, embeddings. */
export class MixedLoad {
  /** Turns of each kind that ended well. */
  readonly done: Record<MixedKind, number> = {
    ...{ short: 0, long: 0, cancelled: 0, session: 0, schema: 0, embeddings: 0 },
  };
  readonly #client: LoadClient;
  readonly #random;
  readonly #question;
  readonly #maxTokens: number;
  readonly #kinds = Object.entries(shares).flatMap(([kind, share]) =>
    Array.from({ length: share }, () => kind as MixedKind),
  );

  /** @param maxTokens of each answer */
  constructor(client: LoadClient, { seed = 1, maxTokens = 96 } = {}) {
    this.#client = client;
    this.#random = createRandom(seed);
    this.#question = questions(seed + 1);
    this.#maxTokens = maxTokens;
  }

  /**
   * One thing that a client does.
   * @throws LostAnswerError when the server did not do all of it
   */
  async turn(): Promise<void> {
    const kind = this.#random.pick(this.#kinds);
    await this.#do(kind);
    this.done[kind] += 1;
  }

  #do(kind: MixedKind): Promise<unknown> {
    switch (kind) {
      case "short":
        return this.#client.stream(this.#body(this.#question()));
      case "long":
        return this.#client.stream(this.#body(this.#text(20)));
      case "cancelled":
        return this.#cancelled();
      case "session":
        return this.#session();
      case "schema":
        return this.#answersInSchema();
      case "embeddings":
        return this.#embeddings();
    }
  }

  async #cancelled(): Promise<void> {
    const controller = new AbortController();
    const last = this.#random.integer(1, Math.ceil(this.#maxTokens / 2));
    const onPiece = (count: number): void => {
      if (count >= last) controller.abort();
    };
    const { signal } = controller;
    try {
      await this.#client.stream(this.#body(this.#question()), { signal, onPiece });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Two turns, a fork that goes on by itself, and then neither is needed any more. */
  async #session(): Promise<void> {
    const { id } = await this.#client.json<{ id: string }>("POST", "/v1/sessions", {});
    await this.#ask({ ...text(this.#question()), session: id });
    await this.#ask({ ...text(this.#question()), session: id });
    const fork = await this.#client.json<{ id: string }>("POST", `/v1/sessions/${id}/fork`, {});
    await this.#ask({ ...text(this.#question()), session: fork.id });
    await this.#expectMessages(id, 4);
    await this.#expectMessages(fork.id, 6);
    for (const session of [id, fork.id]) {
      await this.#client.json("DELETE", `/v1/sessions/${session}`);
    }
  }

  async #expectMessages(session: string, count: number): Promise<void> {
    const path = `/v1/sessions/${session}`;
    const { message_count: found } = await this.#client.json<{ message_count: number }>(
      "GET",
      path,
    );
    if (found !== count) {
      throw new LostAnswerError(`expected ${count} messages in a session, found ${found}`);
    }
  }

  async #answersInSchema(): Promise<void> {
    const json_schema = { name: "answer", schema, strict: true };
    const { choices } = await this.#ask({
      ...text(this.#question()),
      response_format: { type: "json_schema", json_schema },
      thinking_budget: 8,
      max_tokens: 96,
    });
    const { sum } = JSON.parse(choices[0]!.message.content!) as { sum: unknown };
    if (!Number.isInteger(sum)) throw new LostAnswerError(`expected a sum, found ${String(sum)}`);
  }

  async #embeddings(): Promise<void> {
    const input = Array.from({ length: 4 }, () => this.#question());
    const body = { model: this.#client.model, input, encoding_format: "float" };
    const { data } = await this.#client.json<{ data: { embedding: number[] }[] }>(
      "POST",
      "/v1/embeddings",
      body,
    );
    const lengths = data.map(({ embedding }) => Math.hypot(...embedding));
    if (lengths.length === 4 && lengths.every((length) => Math.abs(length - 1) < 1e-3)) return;
    throw new LostAnswerError(`expected 4 vectors of length 1, found lengths ${lengths.join()}`);
  }

  /** A whole answer. */
  async #ask(body: object): Promise<Completion> {
    const reply = await this.#client.json<Completion>("POST", "/v1/chat/completions", {
      ...{ model: this.#client.model, max_tokens: this.#maxTokens, temperature: 0, ...body },
    });
    if (reply.choices[0]?.finish_reason && reply.usage.completion_tokens > 0) return reply;
    throw new LostAnswerError(`expected an answer with an end, found ${JSON.stringify(reply)}`);
  }

  #body(content: string): object {
    return { ...text(content), max_tokens: this.#maxTokens, temperature: 0 };
  }

  #text(count: number): string {
    return Array.from({ length: count }, this.#question).join("\n");
  }
}
