import {
  Session,
  type GenerationOptions,
  type NextTokenModel,
  type TextTokenizer,
} from "@levin/model";
import type { Answerer } from "../answering/answerer.ts";
import type { SubmittedPrediction } from "../suites/benchmark-task.ts";
import {
  questionsOfContext,
  type ContextItem,
  type ContextPrompt,
  type ContextSuite,
} from "./context-suite.ts";

/** What a model replied to an item, and what that cost. */
export interface ContextPrediction extends SubmittedPrediction {
  /** The reply, without its thought. */
  text: string;
  /** The score to be expected of a guess. */
  chance: number;
  promptTokens: number;
  /** Bytes of the state that the model has of prompt and reply. */
  stateBytes: number;
}

interface Asked {
  item: ContextItem;
  prompt: ContextPrompt;
}

/**
 * Asks a model greedily. What several prompts begin with is read once: from where they part, each
 * goes on with a copy of the state.
 *
 * @param options of each answer; `maxNewTokens` is the suite's, and what a thought may take beside it
 */
export function contextAnswerer(
  model: NextTokenModel,
  tokenizer: TextTokenizer,
  suite: ContextSuite,
  { onRead, ...options }: GenerationOptions & { onRead?: (tokens: number) => void } = {},
): Answerer<ContextItem, ContextPrediction> {
  const generation = {
    ...options,
    maxNewTokens: suite.answerTokens + (options.thinkingBudget ?? 0),
  };
  return {
    together: questionsOfContext(suite.items),
    answer: async (items) => {
      const prompts = items.map((item) => ({ item, prompt: suite.promptOf(item) }));
      const found = await new SharedReading(generation, onRead).answer(
        new Session(model, tokenizer),
        prompts,
      );
      return items.map(({ id }) => found.find((prediction) => prediction.id === id)!);
    },
    dispose: () => undefined,
  };
}

/** Reads prompts along the tree of their beginnings, and replies where each ends. */
class SharedReading {
  readonly #generation: GenerationOptions;
  readonly #onRead: ((tokens: number) => void) | undefined;
  readonly #open = new Set<Session>();

  constructor(generation: GenerationOptions, onRead: ((tokens: number) => void) | undefined) {
    this.#generation = generation;
    this.#onRead = onRead;
  }

  /** Uses the session up, whatever happens. */
  async answer(session: Session, prompts: readonly Asked[]): Promise<ContextPrediction[]> {
    this.#open.add(session);
    try {
      return await this.#answer(session, prompts, 0);
    } finally {
      for (const each of this.#open) each.dispose();
    }
  }

  /** Predictions for prompts that the session has read the first `done` tokens of. */
  async #answer(
    session: Session,
    prompts: readonly Asked[],
    done: number,
  ): Promise<ContextPrediction[]> {
    const shared = commonLength(prompts.map(({ prompt }) => prompt.ids));
    await this.#read(session, prompts[0]!.prompt.ids.slice(done, shared));
    if (prompts.length === 1) return [await this.#reply(session, prompts[0]!)];
    const parts = partition(prompts, shared);
    const predictions: ContextPrediction[] = [];
    for (const [i, part] of parts.entries()) {
      // The last one needs no copy.
      const branch = i === parts.length - 1 ? session : session.fork();
      this.#open.add(branch);
      predictions.push(...(await this.#answer(branch, part, shared)));
    }
    return predictions;
  }

  async #read(session: Session, ids: readonly number[]): Promise<void> {
    for (let start = 0; start < ids.length; start += tokensAtOnce) {
      const some = ids.slice(start, start + tokensAtOnce);
      session.append(some);
      await finish(session.generate({ maxNewTokens: 0 }));
      this.#onRead?.(some.length);
    }
  }

  async #reply(session: Session, { item, prompt }: Asked): Promise<ContextPrediction> {
    const { text } = await finish(session.generate(this.#generation));
    const { stateBytes } = session;
    session.dispose();
    this.#open.delete(session);
    // What stands between the thought and the answer is the chat's frame.
    const said = text.trimStart();
    return {
      ...{ id: item.id, value: prompt.score(said), text: said, chance: prompt.chance },
      ...{ promptTokens: prompt.ids.length, stateBytes },
    };
  }
}

/** Tokens that are read before others may have a turn. */
const tokensAtOnce = 4096;

/** How many tokens all begin with; the whole length of one alone. */
function commonLength([first, ...others]: readonly (readonly number[])[]): number {
  const part = first!.findIndex((id, i) => others.some((ids) => ids[i] !== id));
  return part < 0 ? first!.length : part;
}

/** Prompts that go on alike together; those that end here are alone. */
function partition(prompts: readonly Asked[], at: number): Asked[][] {
  const ended: Asked[][] = [];
  const parts = new Map<number, Asked[]>();
  for (const asked of prompts) {
    const next = asked.prompt.ids[at];
    if (next === undefined) ended.push([asked]);
    else parts.set(next, [...(parts.get(next) ?? []), asked]);
  }
  return [...ended, ...parts.values()];
}

async function finish<Result>(stream: AsyncGenerator<unknown, Result>): Promise<Result> {
  for (;;) {
    const next = await stream.next();
    if (next.done) return next.value;
  }
}
