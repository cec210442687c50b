import { generateBatch } from "@levin/model";
import { addition, evaluationProblems } from "@levin/tasks";
import { plot } from "./plot.ts";
import { loadSpark } from "./spark.ts";

const { model, tokenizer, prompt } = await loadSpark();
const problems = evaluationProblems(addition, { count: 24, seed: 1, maxDifficulty: 0.6 });
const prompts = problems.map((problem) => prompt(problem.prompt));

// budgets
const accuracies: { budget: number; right: number }[] = [];
for (const thinkingBudget of [0, 16, 32, 64, 128]) {
  const replies = await generateBatch(model, tokenizer, prompts, {
    thinkingBudget,
    maxNewTokens: thinkingBudget + 24,
    temperature: 0,
  });
  const right = replies.filter(({ text }, i) => problems[i]!.verify(text)).length;
  accuracies.push({ budget: thinkingBudget, right: right / problems.length });
}
// end

const [least, most] = [accuracies[0]!.right, accuracies.at(-1)!.right];
console.log(`thinking helps: ${most >= least + 0.5}`); // → thinking helps: true

await plot("09-thinking-budget", accuracies, {
  mark: { type: "line", point: true },
  encoding: {
    x: { field: "budget", type: "quantitative", title: "tokens of thought at most" },
    y: { field: "right", type: "quantitative", axis: { format: "%" }, scale: { domain: [0, 1] } },
  },
});
