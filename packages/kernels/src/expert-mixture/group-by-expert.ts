import * as tf from "@tensorflow/tfjs-core";

/** The tokens that chose one expert. */
export interface ExpertGroup {
  expert: number;
  /** Rows of the input, `[n]` int32. */
  tokens: tf.Tensor1D;
  /** Places in the flattened `[tokens · k]` routing, `[n]` int32. */
  choices: tf.Tensor1D;
}

/**
 * Sorts the choices of a routing by expert.
 *
 * @param experts `[tokens, k]` int32
 * @returns groups of the experts in use, and `order`: for each choice its place in group order
 */
export function groupByExpert(experts: tf.Tensor): { groups: ExpertGroup[]; order: tf.Tensor1D } {
  const k = experts.shape[1]!;
  const members = new Map<number, number[]>();
  experts.dataSync().forEach((expert, choice) => {
    const list = members.get(expert);
    if (list) list.push(choice);
    else members.set(expert, [choice]);
  });
  const order = new Int32Array(experts.size);
  let place = 0;
  const groups = [...members].map(([expert, choices]) => {
    for (const choice of choices) order[choice] = place++;
    return {
      expert,
      tokens: tf.tensor1d(
        Int32Array.from(choices, (choice) => Math.floor(choice / k)),
        "int32",
      ),
      choices: tf.tensor1d(Int32Array.from(choices), "int32"),
    };
  });
  return { groups, order: tf.tensor1d(order, "int32") };
}
