/** Groups that the processes of a cluster make and train together: all of them know all groups, each computes its own. */
import { balancedRun, type Share } from '../../cluster/alone.js';
import type { Cluster } from '../../cluster/cluster.js';
import { sliceTokens } from './loss/group-parts.js';
import type { Group } from './loss/group.js';
import { addSums, NO_TOKENS, type PolicySums } from './loss/policy-loss.js';
import type { RlTask } from './rollout/rl-task.js';

/** A group without its trie, which has no JSON: the number of its task stands for it. */
export type PlainGroup<G extends Group | Omit<Group, 'advantages'>> = Omit<G, 'trie'> & { trieOf?: number };

/** As JSON holds it. */
export function toPlain<G extends Omit<Group, 'advantages'>>(
  groups: readonly G[],
  tasks: readonly RlTask[],
): PlainGroup<G>[] {
  return groups.map(({ trie, ...group }) => ({
    ...group,
    ...(trie && { trieOf: tasks.findIndex((task) => task.trie === trie) }),
  }));
}

/** @param tasks as they were when it was made plain */
export function fromPlain<G extends Omit<Group, 'advantages'>>(
  groups: readonly PlainGroup<G>[],
  tasks: readonly RlTask[],
): G[] {
  return groups.map(({ trieOf, ...group }) => ({
    ...group,
    ...(trieOf !== undefined && { trie: tasks[trieOf]!.trie! }),
  })) as unknown as G[];
}

/** Groups that this process trains on: a run of about as many tokens as any other's. */
export function ownGroups(share: Share | undefined, groups: readonly Group[]): Group[] {
  const tokens = (group: Group): number =>
    sliceTokens({ group, from: 0, to: group.completions.length, withAnswer: group.answer !== undefined });
  return balancedRun(share, groups, tokens);
}

/**
 * Log-probabilities that one process has computed, in all of them.
 * @param groups the same in all processes, in the same order
 */
export function shareLogProbs(cluster: Cluster, groups: readonly Omit<Group, 'advantages'>[]): void {
  const own = groups.map(({ old, reference }) => [old, reference]); // in JSON null where there is none
  for (const other of cluster.exchange(own)) {
    other.forEach(([old, reference], g) => {
      if (old) groups[g]!.old ??= old;
      if (reference) groups[g]!.reference ??= reference;
    });
  }
}

/** Of the whole batch. */
export function allSums(cluster: Cluster | undefined, own: PolicySums): PolicySums {
  if (!cluster) return own;
  const names = Object.keys(own) as (keyof PolicySums)[];
  return cluster
    .numbers(names.map((name) => own[name]))
    .map((values) => Object.fromEntries(names.map((name, i) => [name, values[i]!])) as unknown as PolicySums)
    .reduce(addSums, NO_TOKENS);
}
