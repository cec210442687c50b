import * as z from "zod";
import type { ModelState, NextTokenModel } from "../next-token-model.ts";
import { checkPrompt, continueFrom, type GenerationResult, type TokenEvent } from "./generate.ts";
import { checkOptions, type GenerationOptions } from "./generation-options.ts";
import type { SamplerState } from "./sampler.ts";
import { SingleSequence } from "./sequence.ts";
import type { TextTokenizer } from "./thought.ts";

/** Raised when bytes are not a saved session. */
export class SessionError extends Error {
  override readonly name = "SessionError";
}

const magic = "levin-session-1";

const tokenId = z.number().int().nonnegative();

const headerSchema = z
  .object({
    magic: z.literal(magic),
    vocabSize: z.number().int().positive(),
    history: z.array(tokenId),
    /** How many of the last tokens the state has not seen yet. */
    pending: z.number().int().nonnegative(),
    samplerState: z
      .object({ seed: z.number().int(), numbers: z.array(z.number().int()).length(4) })
      .nullable(),
  })
  .refine(({ history, pending }) => pending <= history.length, "pending: more than the history")
  .refine(
    ({ history, vocabSize }) => history.every((id) => id < vocabSize),
    "history: a token beyond the vocabulary",
  );

type SavedHeader = z.output<typeof headerSchema>;

/**
 * A conversation that keeps its state: each turn costs only its new tokens, and it can be saved to
 * bytes and go on elsewhere exactly as it would have here.
 */
export class Session {
  readonly #model: NextTokenModel;
  readonly #tokenizer: TextTokenizer;
  #state: ModelState;
  #history: number[];
  /** Tokens of the history that the state has not seen yet. */
  #pending: number[];
  #samplerState: SamplerState | undefined;

  constructor(model: NextTokenModel, tokenizer: TextTokenizer) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#state = model.createState(1);
    this.#history = [];
    this.#pending = [];
  }

  /** All tokens so far. */
  get history(): readonly number[] {
    return this.#history;
  }

  /** Bytes of the state; its lightning part does not grow. */
  get stateBytes(): number {
    return this.#state.byteLength;
  }

  /** Adds text or tokens, to be read before the next answer. */
  append(prompt: string | readonly number[]): void {
    const ids = typeof prompt === "string" ? this.#tokenizer.encode(prompt) : prompt;
    this.#history.push(...ids);
    this.#pending.push(...ids);
  }

  /** Generates on; the new tokens become part of the session. */
  async *generate(options: GenerationOptions = {}): AsyncGenerator<TokenEvent, GenerationResult> {
    const checked = checkOptions(options);
    checkPrompt(this.#pending.length, this.#state.length, this.#model.config);
    const onFed = (ids: readonly number[]) => this.#pending.splice(0, ids.length);
    const stream = continueFrom(
      {
        config: this.#model.config,
        tokenizer: this.#tokenizer,
        sequence: new SingleSequence(this.#model, this.#state, onFed),
        prompt: [...this.#pending],
        history: [...this.#history],
        ...(this.#samplerState && { samplerState: this.#samplerState }),
        onEnd: (samplerState) => (this.#samplerState = samplerState),
      },
      checked,
    );
    try {
      let next = await stream.next();
      while (!next.done) {
        this.#history.push(next.value.id);
        this.#pending.push(next.value.id);
        yield next.value;
        next = await stream.next();
      }
      return next.value;
    } finally {
      // Whoever stops iterating early ends the stream too, which saves its random state.
      await stream.return(undefined as never);
    }
  }

  /** An independent copy from here on. */
  fork(): Session {
    const copy = new Session(this.#model, this.#tokenizer);
    copy.#state.dispose();
    copy.#state = this.#state.clone();
    copy.#history = [...this.#history];
    copy.#pending = [...this.#pending];
    copy.#samplerState = this.#samplerState;
    return copy;
  }

  /** Header length (uint32), JSON header, state. */
  save(): Uint8Array {
    const state = this.#state.serialize();
    const header: SavedHeader = {
      magic,
      vocabSize: this.#model.config.vocabSize,
      history: this.#history,
      pending: this.#pending.length,
      samplerState: this.#samplerState ?? null,
    };
    const json = new TextEncoder().encode(JSON.stringify(header));
    const bytes = new Uint8Array(4 + json.byteLength + state.byteLength);
    new DataView(bytes.buffer).setUint32(0, json.byteLength, true);
    bytes.set(json, 4);
    bytes.set(state, 4 + json.byteLength);
    return bytes;
  }

  /**
   * The session that {@link save} wrote.
   * @throws SessionError, or the model's own error when the state is of another model
   */
  static restore(model: NextTokenModel, tokenizer: TextTokenizer, bytes: Uint8Array): Session {
    const { header, state } = readSaved(bytes);
    if (header.vocabSize !== model.config.vocabSize) {
      throw new SessionError(
        `session: expected a vocabulary of ${model.config.vocabSize}, found ${header.vocabSize}`,
      );
    }
    const session = new Session(model, tokenizer);
    session.#state.dispose();
    session.#state = model.deserializeState(state);
    session.#history = header.history;
    session.#pending = header.pending === 0 ? [] : header.history.slice(-header.pending);
    session.#samplerState = header.samplerState ?? undefined;
    return session;
  }

  dispose(): void {
    this.#state.dispose();
  }
}

function readSaved(bytes: Uint8Array): { header: SavedHeader; state: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes.byteLength >= 4 ? view.getUint32(0, true) : Infinity;
  if (4 + size > bytes.byteLength) {
    throw new SessionError(
      `session: expected a header of ${size} bytes, found ${bytes.byteLength} in all`,
    );
  }
  return { header: readHeader(bytes.subarray(4, 4 + size)), state: bytes.subarray(4 + size) };
}

function readHeader(bytes: Uint8Array): SavedHeader {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new SessionError("session: the header is not JSON", { cause: error });
  }
  const header = headerSchema.safeParse(json);
  if (!header.success) throw new SessionError(`session: ${z.prettifyError(header.error)}`);
  return header.data;
}
