import { createParser } from "eventsource-parser";
import { request, type Dispatcher } from "undici";

/** An answer that did not come whole: refused, broken off, or without its end. */
export class LostAnswerError extends Error {
  override name = "LostAnswerError";
}

/** What a client saw of a streamed answer; times are those of `performance.now()`. */
export interface StreamedAnswer {
  asked: number;
  /** When each piece of thought or text came. */
  pieces: number[];
  /** As the server counts them. */
  tokens: number;
}

type Delta = Partial<Record<"content" | "reasoning_content" | "reasoning", string | null>>;

interface Chunk {
  choices: { delta: Delta; finish_reason: string | null }[];
  usage?: { completion_tokens: number } | null;
  error?: { message: string };
}

/**
 * Asks any server that speaks OpenAI's API, as many clients would. The `openai` client and `fetch`
 * would cost more of the machine that is measured than undici and a parser of events do.
 */
export class LoadClient {
  readonly url: string;
  readonly model: string;
  readonly #headers: Record<string, string>;

  private constructor(url: string, model: string, headers: Record<string, string>) {
    this.url = url;
    this.model = model;
    this.#headers = headers;
  }

  /**
   * Asks a server for its model.
   *
   * @param key sent as a bearer token
   * @throws LostAnswerError where it has none
   */
  static async connect(url: string, key?: string): Promise<LoadClient> {
    const headers: Record<string, string> =
      key === undefined ? {} : { authorization: `Bearer ${key}` };
    const nameless = new LoadClient(url, "", headers);
    const { data } = await nameless.json<{ data: { id: string }[] }>("GET", "/v1/models");
    if (!data[0]) throw new LostAnswerError(`expected ${url} to have a model, found none`);
    return new LoadClient(url, data[0].id, headers);
  }

  /** @throws LostAnswerError for any status but 2xx */
  async json<Reply>(method: Dispatcher.HttpMethod, path: string, body?: object): Promise<Reply> {
    return JSON.parse(await this.text(method, path, body)) as Reply;
  }

  /** The same as it comes. */
  async text(method: Dispatcher.HttpMethod, path: string, body?: object): Promise<string> {
    return (await this.#request(method, path, body)).body.text();
  }

  /**
   * Streams an answer of chat completions to its end.
   *
   * @param onPiece called with the number of pieces so far; may break the answer off by `signal`
   * @throws LostAnswerError when the answer is not whole; AbortError when it was broken off
   */
  async stream(
    body: object,
    { signal, onPiece }: { signal?: AbortSignal; onPiece?: (count: number) => void } = {},
  ): Promise<StreamedAnswer> {
    const asked = performance.now();
    const pieces: number[] = [];
    let [tokens, isFinished, isDone] = [0, false, false];
    const parser = createParser({
      onEvent({ data }) {
        if (data === "[DONE]") {
          isDone = true;
          return;
        }
        const { choices, usage, error } = JSON.parse(data) as Chunk;
        if (error) throw new LostAnswerError(error.message);
        const [choice] = choices;
        if (choice && hasText(choice.delta)) {
          pieces.push(performance.now());
          onPiece?.(pieces.length);
        }
        if (choice?.finish_reason) isFinished = true;
        tokens = usage?.completion_tokens ?? tokens;
      },
    });
    const streamed = { model: this.model, ...body, ...asStream };
    const reply = await this.#request("POST", "/v1/chat/completions", streamed, signal);
    const decoder = new TextDecoder();
    for await (const bytes of reply.body) {
      parser.feed(decoder.decode(bytes as Buffer, { stream: true }));
    }
    if (isDone && isFinished && tokens > 0) return { asked, pieces, tokens };
    throw new LostAnswerError(
      `expected a stream with an end, its usage and [DONE], found it to stop after ${pieces.length} pieces`,
    );
  }

  async #request(
    method: Dispatcher.HttpMethod,
    path: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const reply = await request(this.url + path, {
      method,
      headers: { ...this.#headers, ...(body && { "content-type": "application/json" }) },
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
    if (reply.statusCode >= 200 && reply.statusCode < 300) return reply;
    throw new LostAnswerError(`${reply.statusCode} ${path}: ${await reply.body.text()}`);
  }
}

/** Of an answer, or of a thought: vLLM calls that `reasoning`. */
function hasText({ content, reasoning_content: thought, reasoning }: Delta): boolean {
  return Boolean(content || thought || reasoning);
}

const asStream = { stream: true, stream_options: { include_usage: true } };
