import { majorityVote, type GenerationResult } from "@levin/model";
import { finalAnswer } from "@levin/tasks";

/** Writes several answers to one prompt to standard output, or with `vote` the one that most agree on. */
export function printSamples(
  results: readonly GenerationResult[],
  { vote = false, json = false }: { vote?: boolean | undefined; json?: boolean | undefined },
): void {
  if (!vote) {
    return console.log(json ? JSON.stringify(results) : results.map(({ text }) => text).join("\n"));
  }
  const elected = majorityVote(results, ({ text }) => finalAnswer(text));
  if (!elected) {
    console.error(`expected an answer to vote for, found none in ${results.length} samples`);
    process.exitCode = 1;
    return;
  }
  const { winner, votes } = elected;
  console.log(json ? JSON.stringify({ ...winner, votes, samples: results.length }) : winner.text);
}
