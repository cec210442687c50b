/** What a generator yielded, or at last what it returned. */
export type StreamStep<Item, Result> = { item: Item; result?: never } | { result: Result };

/**
 * A generator's items and then its result, for `for await`. Whoever leaves the loop early ends the
 * generator too: with `next()` alone it would keep its turn for ever.
 */
export async function* streamSteps<Item, Result>(
  source: AsyncGenerator<Item, Result>,
): AsyncGenerator<StreamStep<Item, Result>, void> {
  try {
    for (;;) {
      const { done, value } = await source.next();
      if (done) {
        yield { result: value };
        return;
      }
      yield { item: value };
    }
  } finally {
    await source.return(undefined as never);
  }
}
