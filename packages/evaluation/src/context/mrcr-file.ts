import { z } from "zod";
import { DataError, shown } from "../data/data-error.ts";
import type { ChatTurn, ContextItem, ContextOptions, ContextSuite } from "./context-suite.ts";
import { mrcrScore } from "./mrcr-suite.ts";

/** Columns of OpenAI's MRCR that are needed. */
export const mrcrRecord = z.object({
  prompt: z.string(),
  answer: z.string(),
  random_string_to_prepend: z.string(),
});

/** A row of OpenAI's MRCR, as far as it is needed: `prompt` is a chat as JSON. */
export type MrcrRecord = z.infer<typeof mrcrRecord>;

const chat = z.array(
  z.object({ role: z.enum(["system", "user", "assistant"]), content: z.string() }),
);

type FileOptions = Pick<ContextOptions, "encode" | "lengths" | "count" | "thinkingTokens">;

/**
 * Questions of OpenAI's MRCR: `count` for each length, the first ones of the file whose prompt and answer
 * are within it and beyond the length before. Others are left out.
 *
 * @param records in their order; no more are read than needed
 * @throws DataError when a prompt is no chat
 */
export async function mrcrFileSuite(
  records: AsyncIterable<MrcrRecord>,
  options: FileOptions,
): Promise<ContextSuite> {
  const name = "openai-mrcr";
  const lengths = options.lengths.toSorted((a, b) => a - b);
  const bins = new Map<number, { item: ContextItem; record: MrcrRecord; turns: ChatTurn[] }[]>(
    lengths.map((length) => [length, []]),
  );
  let answerTokens = 0;
  let index = -1;
  for await (const record of records) {
    index += 1;
    if ([...bins.values()].every((bin) => bin.length >= options.count)) break;
    if (record.prompt.length > mostLettersPerToken * lengths.at(-1)!) continue;
    const turns = turnsOf(record, { file: name, line: index + 1 });
    // Counted as a message, an answer is longer by the frame of the chat: room to spare.
    const answer = options.encode([{ role: "user", content: record.answer }]).length;
    const tokens = options.encode(turns).length + answer + options.thinkingTokens;
    const length = lengths.find((each) => tokens <= each);
    const bin = bins.get(length!);
    if (length === undefined || bin!.length >= options.count) continue;
    const context = bin!.length;
    const item = { id: `${name}-${index}`, suite: name, length, context, question: 0 };
    bin!.push({ item, record, turns });
    answerTokens = Math.max(answerTokens, answer);
  }
  const asked = new Map([...bins.values()].flat().map((each) => [each.item.id, each]));
  return {
    ...{ name, answerTokens, title: "OpenAI's MRCR" },
    items: [...asked.values()].map(({ item }) => item),
    promptOf: ({ id }) => {
      const { turns, record } = asked.get(id)!;
      const { answer, random_string_to_prepend: prefix } = record;
      const score = (reply: string): number => mrcrScore(reply, answer, prefix);
      const guesses = alike(turns, answer.slice(prefix.length)).map((text) => score(prefix + text));
      const chance = guesses.reduce((sum, each) => sum + each / guesses.length, 0);
      return { turns, ids: options.encode(turns), answer, score, chance };
    },
  };
}

function turnsOf({ prompt }: MrcrRecord, place: { file: string; line: number }): ChatTurn[] {
  try {
    return chat.parse(JSON.parse(prompt));
  } catch {
    throw new DataError(place, "a prompt that is a chat as JSON", shown(prompt));
  }
}

/** No tokenizer writes so many letters of a text with one token. */
const mostLettersPerToken = 16;

/** All answers to the request that this one answers. */
function alike(turns: readonly ChatTurn[], answer: string): string[] {
  const requestOf = (i: number): string | undefined => turns[i - 1]?.content;
  const place = turns.findIndex(({ role, content }) => role === "assistant" && content === answer);
  return turns
    .filter(({ role }, i) => role === "assistant" && requestOf(i) === requestOf(place))
    .map(({ content }) => content);
}
