/** Advantages: what a completion's reward is worth beside the others. */

/**
 * Advantages within a group: (r - mean) / (std + 1e-4), the deviation that of a sample (n - 1), as in TRL; all equal:
 * all 0.
 */
export function groupAdvantages(rewards: readonly number[]): number[] {
  const mean = rewards.reduce((sum, r) => sum + r, 0) / rewards.length;
  const variance = rewards.reduce((sum, r) => sum + (r - mean) ** 2, 0) / Math.max(1, rewards.length - 1);
  return rewards.map((r) => (r - mean) / (Math.sqrt(variance) + 1e-4));
}
