import type { AnswerKind, BenchmarkTask, Suite } from "./benchmark-task.ts";
import { originalMrpc, tables, threeTables, type Columns } from "./glue-files.ts";
import { glueSubmission } from "./submissions.ts";
import { templates } from "./templates.ts";

const binary: AnswerKind = { type: "class", names: ["0", "1"] };
const score: AnswerKind = { type: "score", lowest: 0, highest: 5 };
const entailment: AnswerKind = { type: "class", names: ["entailment", "not_entailment"] };
const inference: AnswerKind = {
  type: "class",
  names: ["entailment", "neutral", "contradiction"],
};
const pair = { first: "sentence1", second: "sentence2" };

const cola: Columns = {
  fields: { sentence: "sentence" },
  label: "label",
  header: ["source", "label", "star", "sentence"],
};
const colaFiles = threeTables(binary, cola);
const mrpc: Columns = {
  fields: { first: "#1 String", second: "#2 String" },
  label: "Quality",
};
const mrpcFiles = threeTables(binary, mrpc);
const qqp: Columns = {
  fields: { first: "question1", second: "question2" },
  label: "is_duplicate",
  dropShort: true,
};
const mnli: Columns = { fields: pair, label: "gold_label", index: "index" };

function mnliTask(name: string, title: string, part: string): BenchmarkTask {
  return {
    ...{ name, title, entry: "MNLI", kind: inference, metrics: ["accuracy"], folders: ["MNLI"] },
    template: templates.inference,
    sources: threeTables(inference, mnli, { dev: `dev_${part}.tsv`, test: `test_${part}.tsv` }),
    ...(name !== "mnli-m" && { learnsFrom: "mnli-m" }),
  };
}

/** A task that is alone in its folder and its entry. */
function task(parts: Omit<BenchmarkTask, "folders" | "entry" | "learnsFrom">): BenchmarkTask {
  return { ...parts, entry: parts.title, folders: [parts.title] };
}

const tasks: BenchmarkTask[] = [
  task({
    ...{ name: "cola", title: "CoLA", kind: binary, metrics: ["Matthews"] },
    template: templates.cola,
    sources: {
      // Behind them, the files that the corpus's own page has.
      train: [...colaFiles.train, tables(["raw/in_domain_train.tsv"], binary, cola)],
      dev: [
        ...colaFiles.dev,
        tables(["raw/in_domain_dev.tsv", "raw/out_of_domain_dev.tsv"], binary, cola),
      ],
      test: [tables(["test.tsv"], binary, { fields: cola.fields, index: "index" })],
    },
  }),
  task({
    ...{ name: "sst2", title: "SST-2", kind: binary, metrics: ["accuracy"] },
    template: templates.sst2,
    sources: threeTables(binary, { fields: { sentence: "sentence" }, label: "label" }),
  }),
  task({
    ...{ name: "mrpc", title: "MRPC", kind: binary, metrics: ["F1", "accuracy"] },
    template: templates.paraphrase,
    sources: {
      train: [...mrpcFiles.train, originalMrpc("train", binary, mrpc)],
      dev: [...mrpcFiles.dev, originalMrpc("dev", binary, mrpc)],
      test: [
        ...mrpcFiles.test,
        tables(["msr_paraphrase_test.txt"], binary, { fields: mrpc.fields }),
      ],
    },
  }),
  task({
    ...{ name: "stsb", title: "STS-B", kind: score, metrics: ["Pearson", "Spearman"] },
    template: templates.stsb,
    sources: threeTables(score, { fields: pair, label: "score", index: "index" }),
  }),
  task({
    ...{ name: "qqp", title: "QQP", kind: binary, metrics: ["F1", "accuracy"] },
    template: templates.duplicates,
    sources: {
      ...threeTables(binary, { ...qqp, index: "id" }),
      // A leaderboard wants every row of the test set.
      test: [tables(["test.tsv"], binary, { fields: qqp.fields, index: "id" })],
    },
  }),
  mnliTask("mnli-m", "MNLI-m", "matched"),
  mnliTask("mnli-mm", "MNLI-mm", "mismatched"),
  task({
    ...{ name: "qnli", title: "QNLI", kind: entailment, metrics: ["accuracy"] },
    template: templates.qnli,
    sources: threeTables(entailment, {
      ...{ fields: { first: "question", second: "sentence" }, label: "label", index: "index" },
    }),
  }),
  task({
    ...{ name: "rte", title: "RTE", kind: entailment, metrics: ["accuracy"] },
    template: templates.entailment,
    sources: threeTables(entailment, { fields: pair, label: "label", index: "index" }),
  }),
  task({
    ...{ name: "wnli", title: "WNLI", kind: binary, metrics: ["accuracy"] },
    template: templates.wnli,
    sources: threeTables(binary, { fields: pair, label: "label", index: "index" }),
  }),
  {
    ...{ name: "ax", title: "AX", kind: inference, metrics: ["Matthews"] },
    ...{ folders: ["diagnostic", "AX"], learnsFrom: "mnli-m", template: templates.inference },
    sources: {
      train: [],
      dev: [
        tables(["diagnostic-full.tsv"], inference, {
          ...{ fields: { first: "Premise", second: "Hypothesis" }, label: "Label" },
        }),
      ],
      test: [tables(["diagnostic.tsv"], inference, { fields: pair, index: "index" })],
    },
  },
];

/** GLUE (Wang et al., arXiv 1804.07461): nine tasks and the diagnostic set AX. */
export const glue: Suite = {
  ...{ name: "glue", title: "GLUE", page: "https://gluebenchmark.com/tasks", tasks },
  ...{ submission: glueSubmission, submissionExtension: "tsv" },
};
