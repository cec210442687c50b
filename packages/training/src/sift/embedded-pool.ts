import { embed, type CausalLanguageModel } from "@levin/model";
import type { Example } from "../example.ts";

/** Examples with what they are chosen by. */
export interface EmbeddedPool {
  examples: readonly Example[];
  /** One of length 1 for each example. */
  embeddings: readonly Float32Array[];
}

/**
 * Embeds examples once for many prompts: by their tokens before the first learned one, as that is
 * what will be known of a prompt, or by all of them where the first is learned.
 *
 * @throws TokenBatchError for an example without tokens or with unknown ids
 */
export async function embedPool(
  model: CausalLanguageModel,
  examples: readonly Example[],
): Promise<EmbeddedPool> {
  const texts = examples.map(({ ids, learned }) => {
    const given = learned.indexOf(1);
    return given > 0 ? ids.slice(0, given) : ids;
  });
  return { examples, embeddings: await embed(model, texts) };
}
