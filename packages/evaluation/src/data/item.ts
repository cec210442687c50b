/** `dev` is what SuperGLUE calls val. */
export type Split = "train" | "dev" | "test";

/** One thing to be answered: a sentence, a pair, an answer of a question, a query. */
export interface Item {
  /** Unique in its split: the index of leaderboards, or paragraph-question-answer. */
  id: string;
  /** Texts by the names that templates use. */
  fields: Readonly<Record<string, string>>;
  /** What to choose from, where each item has choices of its own. */
  choices?: readonly string[];
  /** Number of the right class or choice, or a score; none in a test set. */
  label?: number;
  /** All texts that are right, where there are several. */
  answers?: readonly string[];
  /** What it is judged together with: a question of MultiRC, a pair of Winogender. */
  group?: string;
}
