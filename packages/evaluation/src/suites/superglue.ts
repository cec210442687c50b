import type { Split } from "../data/item.ts";
import type { AnswerKind, BenchmarkTask, Source, Suite } from "./benchmark-task.ts";
import { superglueSubmission } from "./submissions.ts";
import {
  readBoolq,
  readCopa,
  readDiagnostics,
  readInference,
  readMultirc,
  readRecord,
  readWic,
  readWinogender,
  readWsc,
  type RecordReader,
} from "./superglue-records.ts";
import { templates } from "./templates.ts";

const truth: AnswerKind = { type: "class", names: ["false", "true"] };
const bit: AnswerKind = { type: "class", names: ["0", "1"] };
const entailmentNames = ["entailment", "not_entailment"];
const entailment: AnswerKind = { type: "class", names: entailmentNames };
const cbNames = ["entailment", "contradiction", "neutral"];

function source(file: string, read: RecordReader): Source {
  return { files: [file], parse: ([only]) => read(only!) };
}

function threeFiles(read: RecordReader): Record<Split, Source[]> {
  return {
    train: [source("train.jsonl", read)],
    dev: [source("val.jsonl", read)],
    test: [source("test.jsonl", read)],
  };
}

function task(
  parts: Omit<BenchmarkTask, "folders" | "entry" | "sources"> & { read: RecordReader },
): BenchmarkTask {
  const { read, ...rest } = parts;
  return { ...rest, entry: rest.title, folders: [rest.title], sources: threeFiles(read) };
}

/** A diagnostic set: one file, with labels in some versions. */
function diagnostic(
  parts: Pick<BenchmarkTask, "name" | "title" | "metrics"> & { read: RecordReader },
): BenchmarkTask {
  const { read, ...rest } = parts;
  const only = [source(`${rest.title}.jsonl`, read)];
  return {
    ...rest,
    ...{ kind: entailment, template: templates.entailment, learnsFrom: "rte" },
    ...{ folders: [rest.title], sources: { train: [], dev: only, test: only } },
  };
}

const tasks: BenchmarkTask[] = [
  task({
    ...{ name: "boolq", title: "BoolQ", kind: truth, metrics: ["accuracy"] },
    ...{ template: templates.boolq, read: readBoolq },
  }),
  task({
    ...{ name: "cb", title: "CB", metrics: ["macro F1", "accuracy"], template: templates.cb },
    ...{ kind: { type: "class", names: cbNames }, read: readInference(cbNames) },
  }),
  task({
    ...{ name: "copa", title: "COPA", metrics: ["accuracy"] },
    ...{ kind: { type: "choice", told: "number" }, template: templates.copa, read: readCopa },
  }),
  task({
    ...{ name: "multirc", title: "MultiRC", kind: bit, metrics: ["F1a", "EM by question"] },
    ...{ template: templates.multirc, read: readMultirc },
  }),
  task({
    ...{ name: "record", title: "ReCoRD", metrics: ["answer F1", "EM"] },
    ...{ kind: { type: "choice", told: "text" }, template: templates.record, read: readRecord },
  }),
  task({
    ...{ name: "rte", title: "RTE", kind: entailment, metrics: ["accuracy"] },
    ...{ template: templates.entailment, read: readInference(entailmentNames) },
  }),
  task({
    ...{ name: "wic", title: "WiC", kind: truth, metrics: ["accuracy"] },
    ...{ template: templates.wic, read: readWic },
  }),
  task({
    ...{ name: "wsc", title: "WSC", kind: truth, metrics: ["accuracy"] },
    ...{ template: templates.wsc, read: readWsc },
  }),
  diagnostic({
    ...{ name: "ax-b", title: "AX-b", metrics: ["Matthews"] },
    read: readDiagnostics(entailmentNames),
  }),
  diagnostic({
    ...{ name: "ax-g", title: "AX-g", metrics: ["gender parity", "accuracy"] },
    read: readWinogender(entailmentNames),
  }),
];

/** SuperGLUE (Wang et al., arXiv 1905.00537): eight tasks and the diagnostic sets AX-b and AX-g. */
export const superglue: Suite = {
  ...{ name: "superglue", title: "SuperGLUE", page: "https://super.gluebenchmark.com/tasks" },
  ...{ tasks, submission: superglueSubmission, submissionExtension: "jsonl" },
};
