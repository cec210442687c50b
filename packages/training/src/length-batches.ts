/**
 * What one more batch costs, in tokens: the overhead of its seven thousand tensor operations, as
 * measured with an 8-layer model of width 128 on the tensorflow backend (160 ms to 0.2 ms a token).
 */
const batchOverhead = 1024;

/**
 * Cuts lengths, sorted downwards, into consecutive batches such that padded tokens and overhead
 * are least (dynamic programming over the ends of batches).
 *
 * @param maxTokens largest rows · longest of a batch; one longer row makes a batch alone
 * @returns rows of each batch
 */
export function planBatches(lengths: readonly number[], maxTokens: number): number[] {
  // cheapest[i] and rows[i]: of the plan for lengths[i..], its cost and the size of its first batch.
  const cheapest = new Float64Array(lengths.length + 1).fill(Infinity);
  const rows = new Int32Array(lengths.length + 1);
  cheapest[lengths.length] = 0;
  for (let start = lengths.length - 1; start >= 0; start--) {
    const most = Math.max(1, Math.floor(maxTokens / lengths[start]!));
    for (let count = 1; count <= most && start + count <= lengths.length; count++) {
      const cost = batchOverhead + count * lengths[start]! + cheapest[start + count]!;
      if (cost < cheapest[start]!) {
        cheapest[start] = cost;
        rows[start] = count;
      }
    }
  }
  const plan: number[] = [];
  for (let start = 0; start < lengths.length; start += rows[start]!) plan.push(rows[start]!);
  return plan;
}
