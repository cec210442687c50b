// A verifiable task of one's own: problems from a seed, and a verifier that no answer can fool.

import { createRandom, evaluateTask, finalAnswer, generateProblem, type Task } from "@levin/tasks";

const doubling: Task = {
  name: "doubling",
  description: "Double a number.",
  generate(random, difficulty) {
    const number = random.integer(1, 99 + Math.round(900 * difficulty));
    return {
      task: "doubling",
      key: `${number}`,
      prompt: `What is twice ${number}?`,
      thinking: `${number}+${number}=${2 * number}`,
      answer: `${2 * number}`,
      verify: (reply) => finalAnswer(reply) === `${2 * number}`,
    };
  },
};

const problem = generateProblem(doubling, createRandom(1));
console.log(problem.verify(`The answer is ${problem.answer}.`)); // → true
console.log(problem.verify("I do not know.")); // → false

const byCode = async (prompt: string): Promise<string> => `${2 * Number(prompt.match(/\d+/)![0])}`;
const { accuracy } = await evaluateTask(doubling, byCode, {
  count: 20,
  seed: 1,
});
console.log(accuracy); // → 1
