import type { AnswerKind, BenchmarkTask, SubmittedPrediction } from "./benchmark-task.ts";

/** GLUE's `index` and `prediction` parted by a tab: a class's name, or a score with three decimals. */
export function glueSubmission(
  { kind }: Pick<BenchmarkTask, "kind">,
  predictions: readonly SubmittedPrediction[],
): string {
  const lines = predictions.map(({ id, value }) => `${id}\t${textOf(kind, value)}`);
  return `${["index\tprediction", ...lines].join("\n")}\n`;
}

function textOf(kind: AnswerKind, value: number): string {
  if (kind.type === "score") {
    return Math.min(kind.highest, Math.max(kind.lowest, value)).toFixed(3);
  }
  if (kind.type === "choice") return String(value);
  return kind.names[Math.max(0, value)]!;
}

/**
 * SuperGLUE's lines of JSON with `idx` and `label`; MultiRC's answers lie in their paragraphs. Where
 * no answer could be read, the first class or choice stands, as leaderboards want one of them.
 */
export function superglueSubmission(
  { name, kind }: Pick<BenchmarkTask, "name" | "kind">,
  predictions: readonly SubmittedPrediction[],
): string {
  const records =
    name === "multirc"
      ? paragraphsOf(predictions)
      : predictions.map(({ id, value, text }) => ({
          idx: Number(id),
          label: text ?? labelOf(name, kind, Math.max(0, value)),
        }));
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

function labelOf(name: string, kind: AnswerKind, value: number): string | number {
  if (kind.type !== "class") return value;
  // The leaderboard's own example writes WSC's words with a capital.
  const text = kind.names[value]!;
  return name === "wsc" ? text[0]!.toUpperCase() + text.slice(1) : text;
}

interface Answers {
  idx: number;
  answers: { idx: number; label: number }[];
}

function paragraphsOf(
  predictions: readonly SubmittedPrediction[],
): { idx: number; passage: { questions: Answers[] } }[] {
  const paragraphs = new Map<number, Map<number, Answers>>();
  for (const { id, value } of predictions) {
    const [paragraph, question, answer] = id.split("-").map(Number) as [number, number, number];
    const questions = paragraphs.get(paragraph) ?? new Map<number, Answers>();
    paragraphs.set(paragraph, questions);
    const answers = questions.get(question) ?? { idx: question, answers: [] };
    questions.set(question, answers);
    answers.answers.push({ idx: answer, label: Math.max(0, value) });
  }
  return [...paragraphs].map(([idx, questions]) => ({
    idx,
    passage: { questions: [...questions.values()] },
  }));
}
