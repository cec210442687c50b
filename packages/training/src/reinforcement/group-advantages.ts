/**
 * How much better each answer of a group is than the group, in standard deviations (CISPO takes it
 * from GRPO; paper section 3.1, equation 2). All 0 when the rewards are equal: nothing to learn.
 */
export function groupAdvantages(rewards: readonly number[]): number[] {
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  const variance = rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / rewards.length;
  const deviation = Math.sqrt(variance);
  // A deviation of rounding errors must not blow them up.
  return rewards.map((reward) => (deviation > 1e-9 ? (reward - mean) / deviation : 0));
}
