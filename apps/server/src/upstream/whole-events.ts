/** An event that is longer is passed on in pieces. */
const longestEvent = 2 ** 20;

/**
 * A stream of server-sent events cut only between events, as soon as they are complete: whatever
 * is added after a failure starts a new event.
 */
export async function* wholeEvents(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    const bytes = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
    const end = bytes.length > longestEvent ? bytes.length : endOfEvents(bytes);
    if (end > 0) yield bytes.subarray(0, end);
    held = bytes.subarray(end);
  }
  if (held.length > 0) yield held;
}

/** Bytes up to the last empty line. */
function endOfEvents(bytes: Buffer): number {
  const ends = ["\n\n", "\r\n\r\n"].map((gap) => bytes.lastIndexOf(gap) + gap.length);
  return Math.max(0, ...ends.filter((end, i) => end > [1, 3][i]!));
}
