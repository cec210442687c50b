/**
 * The answer that most candidates agree on (self-consistency, arXiv 2203.11171). Ties go to the
 * answer seen first; who answers "", such as an unfinished thought, abstains.
 *
 *     majorityVote(results, ({ text }) => text.trim())?.winner.text
 *
 * @param answerOf what two candidates must share to agree
 * @returns the first candidate with that answer and the number of its votes; undefined when all abstain
 */
export function majorityVote<Candidate>(
  candidates: readonly Candidate[],
  answerOf: (candidate: Candidate) => string,
): { winner: Candidate; votes: number } | undefined {
  const polls = new Map<string, { winner: Candidate; votes: number }>();
  for (const candidate of candidates) {
    const answer = answerOf(candidate);
    if (answer === "") continue;
    const poll = polls.get(answer) ?? { winner: candidate, votes: 0 };
    polls.set(answer, { ...poll, votes: poll.votes + 1 });
  }
  let best: { winner: Candidate; votes: number } | undefined;
  for (const poll of polls.values()) if (poll.votes > (best?.votes ?? 0)) best = poll;
  return best;
}
