import type { DrawAnswers, DrawnAnswer } from "@levin/training";
import type { Crew } from "../spread/crew.ts";
import type { DrawPiece } from "../spread/piece.ts";

/**
 * Draws answers by a crew, a group a piece.
 * @param policy writes the parameters as they are to a file; the same name means the same parameters
 */
export function crewDrawing(crew: Crew, policy: () => Promise<string>): DrawAnswers {
  return async (prompts, groupSize, { signal, seed, ...sampling }) => {
    const file = await policy();
    const pieces = prompts.map((prompt, p): DrawPiece => {
      const own = { ...sampling, seed: seed + p * groupSize };
      return { work: "draw", policy: file, prompt, groupSize, sampling: own };
    });
    const groups: DrawnAnswer[][] = [];
    for await (const { index, result } of crew.perform(pieces, signal)) groups[index] = result;
    return signal?.aborted ? [] : groups;
  };
}
