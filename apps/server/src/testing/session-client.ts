/** A session as the API tells of it. */
export interface SessionReply {
  id: string;
  object: string;
  title: string | null;
  metadata: Record<string, string>;
  model: string;
  message_count: number;
  token_count: number;
  bytes: number;
  messages: {
    index: number;
    role: string;
    content: string;
    reasoning_content?: string;
    tool_calls?: unknown[];
    tokens: number | null;
  }[];
  states: { message: number; tokens: number; bytes: number }[];
  imported: { state: string; reason?: string };
}

export interface ChatReply {
  choices: {
    message: { content: string; reasoning_content?: string };
    finish_reason: string;
  }[];
  usage: {
    prompt_tokens: number;
    completion_tokens: number;
    prompt_tokens_details: { cached_tokens: number };
  };
}

/** An HTTP answer that was no success. */
export class ReplyError extends Error {
  readonly status: number;
  readonly body: { error: { message: string; param: string | null; code: string | null } };
  constructor(status: number, body: ReplyError["body"]) {
    super(`${status}: ${body.error?.message}`);
    this.status = status;
    this.body = body;
  }
}

/** Asks a server about sessions; fails with ReplyError where it refuses. */
export class SessionClient {
  readonly url: string;
  readonly #model: string;

  constructor(url: string, model: string) {
    this.url = url;
    this.#model = model;
  }

  async request<Reply = SessionReply>(method: string, path: string, body?: unknown) {
    const response = await fetch(`${this.url}/v1/${path}`, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
    });
    const reply: unknown = await response.json();
    if (!response.ok) throw new ReplyError(response.status, reply as ReplyError["body"]);
    return reply as Reply;
  }

  create(body: object = {}): Promise<SessionReply> {
    return this.request("POST", "sessions", body);
  }

  get(id: string): Promise<SessionReply> {
    return this.request("GET", `sessions/${id}`);
  }

  fork(id: string, body: object = {}): Promise<SessionReply> {
    return this.request("POST", `sessions/${id}/fork`, body);
  }

  /** A turn, greedy; without a text, the session's last question is answered again. */
  ask(id: string, text?: string, settings: object = {}): Promise<ChatReply> {
    return this.request("POST", "chat/completions", this.turn(id, text, settings));
  }

  /** The body of a turn. */
  turn(id: string, text?: string, settings: object = {}): object {
    const messages = text === undefined ? [] : [{ role: "user", content: text }];
    return { model: this.#model, session: id, messages, temperature: 0, ...settings };
  }
}
