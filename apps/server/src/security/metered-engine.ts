import type { GenerationResult, TokenEvent } from "@levin/model";
import type { Engine } from "../engine/engine.ts";
import { callers } from "./caller.ts";

/** The same engine, which counts what each caller uses, whatever the route. */
export function meteredEngine(engine: Engine): Engine {
  return {
    get isReady() {
      return engine.isReady;
    },
    generate: (promptIds, ...given) =>
      metered(engine.generate(promptIds, ...given), promptIds.length),
    async embed(texts) {
      const embeddings = await engine.embed(texts);
      const tokens = texts.reduce((total, { length }) => total + length, 0);
      callers.getStore()?.charge(tokens, 0);
      return embeddings;
    },
    hasState: (...given) => engine.hasState(...given),
    saveState: (...given) => engine.saveState(...given),
    restoreState: (...given) => engine.restoreState(...given),
    stats: () => engine.stats(),
    close: () => engine.close(),
  };
}

/** Counts also what came before an answer was broken off. */
async function* metered(
  events: AsyncGenerator<TokenEvent, GenerationResult>,
  promptTokens: number,
): AsyncGenerator<TokenEvent, GenerationResult> {
  const caller = callers.getStore();
  let tokens = 0;
  let hasPrompt = false;
  try {
    for (;;) {
      const { done, value } = await events.next();
      hasPrompt = true;
      if (done) return value;
      tokens += 1;
      yield value;
    }
  } finally {
    if (hasPrompt) caller?.charge(promptTokens, tokens);
    // For who stops reading: ends the answer.
    await events.return?.(undefined as never);
  }
}
