import type { Item, Split } from "../data/item.ts";
import type { SourceFile } from "../data/table.ts";
import type { MetricName } from "../metrics/judge.ts";
import type { Template } from "./templates.ts";

/** What a task asks for. */
export type AnswerKind =
  /** One of these classes, by their names in the files. */
  | { type: "class"; names: readonly string[] }
  /** A number within bounds. */
  | { type: "score"; lowest: number; highest: number }
  /** One of the item's own choices, told by its number or by its text. */
  | { type: "choice"; told: "number" | "text" };

/** A way in which a split may lie in a task's folder. */
export interface Source {
  /** All of them are needed; relative to the folder. */
  files: readonly string[];
  /** Items in the files' order. Throws DataError. */
  parse(files: readonly SourceFile[]): Item[];
}

/** A task of GLUE or SuperGLUE. */
export interface BenchmarkTask {
  /** Such as `cola`. */
  name: string;
  /** As the leaderboard writes it, and the name of its submission file. */
  title: string;
  kind: AnswerKind;
  /** Their mean is the task's score. */
  metrics: readonly MetricName[];
  /** Names that its folder may have. */
  folders: readonly string[];
  /** The ways that are tried in order; none when the task has no such split. */
  sources: Readonly<Record<Split, readonly Source[]>>;
  template: Template;
  /** The task whose training set is learned, where this one has none of its own. */
  learnsFrom?: string;
  /** Tasks of one entry count once in the average, by their mean; diagnostics have none. */
  entry?: string;
}

/** GLUE or SuperGLUE. */
export interface Suite {
  name: "glue" | "superglue";
  title: string;
  /** Where its files can be had. */
  page: string;
  tasks: readonly BenchmarkTask[];
  /** The leaderboard's file for predictions. */
  submission(task: BenchmarkTask, predictions: readonly SubmittedPrediction[]): string;
  submissionExtension: "tsv" | "jsonl";
}

/** What was answered to an item. */
export interface SubmittedPrediction {
  id: string;
  /** Number of the class or choice, or a score; −1 when no answer could be read. */
  value: number;
  /** The chosen or generated text, where that is what counts. */
  text?: string;
}
