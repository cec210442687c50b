import * as z from "zod";
import { DataError, shown } from "../data/data-error.ts";
import type { Item } from "../data/item.ts";
import { parseJsonLines, type JsonLine } from "../data/json-lines.ts";
import type { SourceFile } from "../data/table.ts";

const texts = <Name extends string>(...names: Name[]): Record<Name, z.ZodString> =>
  Object.fromEntries(names.map((name) => [name, z.string()])) as Record<Name, z.ZodString>;
const classOf = (names: readonly string[]) => z.enum([...names]).optional();
const truth = z.union([z.boolean(), z.enum(["true", "false", "True", "False"])]).optional();
const bit = z.union([z.literal(0), z.literal(1)]).optional();
/** AX-b's are texts. */
const idx = z.union([z.number().int(), z.string().regex(/^\d+$/)]).transform(Number);

/** Reads the records of a file, each as an item. */
export type RecordReader = (file: SourceFile) => Item[];

/** A reader of records that are one item each. */
function single<Schema extends z.ZodType<{ idx: number }>>(
  schema: Schema,
  read: (value: z.output<Schema>) => Omit<Item, "id" | "label"> & { label?: number | undefined },
): RecordReader {
  return (file) =>
    parseJsonLines(file, schema).map(({ value }) => {
      const { label, ...item } = read(value);
      return { id: String(value.idx), ...item, ...(label !== undefined && { label }) };
    });
}

function truthOf(value: z.output<typeof truth>): number | undefined {
  return value === undefined ? undefined : Number(String(value).toLowerCase() === "true");
}

function numberOf(names: readonly string[], label: string | undefined): number | undefined {
  return label === undefined ? undefined : names.indexOf(label);
}

export const readBoolq = single(
  z.object({ idx, ...texts("passage", "question"), label: truth }),
  ({ passage, question, label }) => ({ fields: { passage, question }, label: truthOf(label) }),
);

/** Premise and hypothesis with a class among `names`. */
export function readInference(names: readonly string[]): RecordReader {
  return single(
    z.object({ idx, ...texts("premise", "hypothesis"), label: classOf(names) }),
    ({ premise: first, hypothesis: second, label }) => ({
      fields: { first, second },
      label: numberOf(names, label),
    }),
  );
}

/** The broad-coverage diagnostics, whose pairs have other names. */
export function readDiagnostics(names: readonly string[]): RecordReader {
  return single(
    z.object({ idx, ...texts("sentence1", "sentence2"), label: classOf(names) }),
    ({ sentence1: first, sentence2: second, label }) => ({
      fields: { first, second },
      label: numberOf(names, label),
    }),
  );
}

/**
 * Winogender: two lines that follow each other differ in the gender of a pronoun. Their `pair_id`
 * numbers premise and hypothesis, not the two of them.
 */
export function readWinogender(names: readonly string[]): RecordReader {
  const schema = z.object({ idx, ...texts("premise", "hypothesis"), label: classOf(names) });
  return (file) => {
    const lines = parseJsonLines(file, schema);
    return lines.map(({ value, ...place }, i) => {
      const { premise: first, hypothesis: second } = value;
      const partner = lines[i ^ 1]?.value;
      if (partner?.hypothesis !== second) {
        const expected = "two lines of one hypothesis after each other";
        throw new DataError(place, expected, shown([second, partner?.hypothesis ?? "nothing"]));
      }
      const label = numberOf(names, value.label);
      return {
        id: String(value.idx),
        fields: { first, second },
        group: String(i >> 1),
        ...(label !== undefined && { label }),
      };
    });
  };
}

export const readCopa = single(
  z.object({
    ...{ idx, ...texts("premise", "choice1", "choice2") },
    ...{ question: z.enum(["cause", "effect"]), label: bit },
  }),
  ({ premise, choice1, choice2, question, label }) => ({
    // "The ground was wet. Because" would end a sentence where the choice goes on.
    fields: {
      premise: premise.trim().replace(/\.$/, ""),
      connective: question === "cause" ? "because" : "so",
    },
    choices: [choice1, choice2],
    label,
  }),
);

export const readWic = single(
  z.object({ idx, ...texts("word", "sentence1", "sentence2"), label: truth }),
  ({ word, sentence1: first, sentence2: second, label }) => ({
    ...{ fields: { word, first, second }, label: truthOf(label) },
  }),
);

export const readWsc = single(
  z.object({
    ...{ idx, ...texts("text"), label: truth },
    target: z.object(texts("span1_text", "span2_text")),
  }),
  ({ text, target, label }) => ({
    fields: { text, noun: target.span1_text, pronoun: target.span2_text },
    label: truthOf(label),
  }),
);

const multirc = z.object({
  idx,
  passage: z.object({
    ...texts("text"),
    questions: z.array(
      z.object({
        idx,
        ...texts("question"),
        answers: z.array(z.object({ idx, ...texts("text"), label: bit })),
      }),
    ),
  }),
});

/** MultiRC: every answer of every question of every paragraph is an item. */
export const readMultirc: RecordReader = (file) =>
  parseJsonLines(file, multirc).flatMap(({ value: { idx: number, passage } }) =>
    passage.questions.flatMap(({ idx: questionNumber, question, answers }) =>
      answers.map(({ idx: answerNumber, text: answer, label }) => ({
        id: `${number}-${questionNumber}-${answerNumber}`,
        group: `${number}-${questionNumber}`,
        fields: { paragraph: passage.text, question, answer },
        ...(label !== undefined && { label }),
      })),
    ),
  );

const place = z.number().int().min(0);
const span = z.object({ start: place, end: place });
const record = z.object({
  passage: z.object({ ...texts("text"), entities: z.array(span) }),
  qas: z.array(
    z.object({
      idx,
      ...texts("query"),
      answers: z.array(span.extend(texts("text"))).optional(),
    }),
  ),
});
const placeholder = "@placeholder";

/** ReCoRD: every query is an item, with the passage's entities to choose from. */
export const readRecord: RecordReader = (file) =>
  parseJsonLines(file, record).flatMap((line) => {
    const choices = entitiesOf(line);
    const passage = line.value.passage.text.replaceAll(/\s*@highlight\s*/g, "\n");
    return line.value.qas.map(({ idx: number, query, answers }) => {
      const at = query.indexOf(placeholder);
      if (at < 0) throw new DataError(line, `${placeholder} in query ${number}`, shown(query));
      const right = answers && [...new Set(answers.map(({ text }) => text))];
      if (right?.length === 0) {
        throw new DataError(line, `at least one answer to query ${number}`, "none");
      }
      return {
        id: String(number),
        fields: {
          passage,
          before: query.slice(0, at),
          after: query.slice(at + placeholder.length),
        },
        choices,
        ...(right && { answers: right, label: choices.findIndex((each) => right.includes(each)) }),
      };
    });
  });

/** Different texts of the entities; positions count characters as Python does, both ends included. */
function entitiesOf(line: JsonLine<z.output<typeof record>>): string[] {
  const { text, entities } = line.value.passage;
  const characters = Array.from(text);
  const found = entities.map(({ start, end }) => {
    if (end < start || end >= characters.length) {
      throw new DataError(
        line,
        `an entity within the ${characters.length} characters of the passage`,
        `${start} to ${end}`,
      );
    }
    return characters.slice(start, end + 1).join("");
  });
  if (found.length === 0) throw new DataError(line, "at least one entity", "none");
  return [...new Set(found)];
}
