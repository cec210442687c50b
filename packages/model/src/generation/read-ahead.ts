/**
 * Runs a generator ahead of its reader by at most `count` items; then it waits until they are all
 * read. Nothing runs before the first item is asked for.
 *
 * @param abandon called when the reader leaves early, to end an item that is under way
 */
export async function* readAhead<Item, Result>(
  source: AsyncGenerator<Item, Result>,
  count: number,
  abandon: () => void,
): AsyncGenerator<Item, Result> {
  const ahead = new ReadableStream<Promise<IteratorResult<Item, Result>>>(
    {
      async pull(controller) {
        for (let i = 0; i < count; i++) {
          const next = source.next();
          // An error takes its place behind the items before it.
          const isEnd = await next.then(
            ({ done }) => done,
            () => true,
          );
          controller.enqueue(next);
          if (isEnd) {
            controller.close();
            return;
          }
        }
      },
      async cancel() {
        abandon();
        await source.return(undefined as never);
      },
    },
    { highWaterMark: 1 },
  );
  const reader = ahead.getReader();
  try {
    for (;;) {
      const next = await (await reader.read()).value!;
      if (next.done) return next.value;
      yield next.value;
    }
  } finally {
    await reader.cancel();
  }
}
