import autocannon from "autocannon";
import type { LoadClient, StreamedAnswer } from "./load-client.ts";
import { runClients, type Tally } from "./run-clients.ts";
import { residentBytes } from "./server-metrics.ts";

/** Two points of a distribution, in milliseconds. */
export interface Percentiles {
  p50: number;
  p99: number;
}

/** What so many clients saw of a server while each streamed one answer after another. */
export interface StreamsResult extends Tally {
  tokensPerSecond: number;
  /** From a request to its first piece of thought or text. */
  firstToken: Percentiles;
  /** Between pieces of an answer. */
  betweenTokens: Percentiles;
  /** Of `/health`, which another generator asked ten times a second; in whole milliseconds. */
  health: Percentiles;
  /** Memory of the server's process at the end, in bytes. */
  resident: number;
}

export interface StreamsPlan {
  clients: number;
  seconds: number;
  /** Of each answer at most. */
  maxTokens: number;
  question: () => string;
}

const probesPerSecond = 10;

/** Measures for so many seconds; answers that are running then are waited for, and count in part. */
export async function measureStreams(
  client: LoadClient,
  { clients, seconds, maxTokens, question }: StreamsPlan,
): Promise<StreamsResult> {
  const answers: StreamedAnswer[] = [];
  // In a thread of its own, so that it waits for the server alone.
  const probing = autocannon({
    url: `${client.url}/health`,
    connections: 1,
    overallRate: probesPerSecond,
    duration: seconds,
    workers: 1,
  });
  const end = performance.now() + 1000 * seconds;
  const tally = await runClients(
    clients,
    () => performance.now() < end,
    async () => {
      const messages = [{ role: "user", content: question() }];
      const answer = await client.stream({ messages, max_tokens: maxTokens, temperature: 0 });
      if (answer.pieces.length > 0) answers.push(answer);
    },
  );
  const { latency, errors, non2xx } = await probing;
  if (errors + non2xx > 0) tally.lost.push(`${errors + non2xx} requests for /health`);
  return {
    ...tally,
    tokensPerSecond: tokensUntil(end, answers) / seconds,
    firstToken: percentiles(answers.map(({ asked, pieces }) => pieces[0]! - asked)),
    betweenTokens: percentiles(
      answers.flatMap(({ pieces }) => pieces.slice(1).map((at, i) => at - pieces[i]!)),
    ),
    health: { p50: latency.p50, p99: latency.p99 },
    resident: await residentBytes(client),
  };
}

/** Of an answer that ended later, the share of its pieces that had come. */
function tokensUntil(end: number, answers: readonly StreamedAnswer[]): number {
  return answers
    .map(({ pieces, tokens }) => (tokens * pieces.filter((at) => at <= end).length) / pieces.length)
    .reduce((total, tokens) => total + tokens, 0);
}

/** By nearest rank; NaN of nothing. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = Float64Array.from(values).sort();
  const rank = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? NaN;
  return { p50: rank(0.5), p99: rank(0.99) };
}
