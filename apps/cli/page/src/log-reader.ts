/** What is new in a log; `whole` when it was written anew and all before is void. */
export interface LogNews {
  lines: Record<string, unknown>[];
  whole: boolean;
}

/** Reads a log of the training on and on; each call gives what came since the last one. */
export function followLog(name: string): () => Promise<LogNews> {
  let next = 0;
  return async () => {
    const response = await fetch(`/${name}?from=${next}`);
    if (!response.ok) throw new Error(`${name}: expected the log, found ${response.status}`);
    const news = (await response.json()) as { lines: string[]; from: number; next: number };
    const whole = news.from !== next;
    next = news.next;
    return { lines: news.lines.map((line) => JSON.parse(line) as Record<string, unknown>), whole };
  };
}
