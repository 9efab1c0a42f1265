/** What is logged of an update's rollouts and of its policy loss. */
import { GAINS } from '../../../evaluate/measures/ranking.js';
import { statistics } from '../loss/advantages.js';
import type { PolicySums } from '../loss/policy-loss.js';
import { hasEqualRewards, type RolledGroup } from './rolled-groups.js';

/** Ranks up to which the rollouts' own metrics look. */
const K = 10;

/**
 * Of the groups as they were rolled out, whatever of them is trained. HR and NDCG are those of the lists that the
 * rollouts are, ground truth that was put in not counted.
 */
export function rolloutMetrics(groups: readonly RolledGroup[]): Record<string, number> {
  const share = (of: (group: RolledGroup) => boolean): number => groups.filter(of).length / Math.max(1, groups.length);
  const lengths = groups.flatMap(({ completions }) => completions.map(({ length }) => length));
  const items = groups.flatMap(({ items: of }) => of.flat());
  const firsts = groups.flatMap(({ completions, items: of }) => completions.flatMap(([first], g) => (of[g]!.length > 0 ? [first!] : []))); // prettier-ignore
  const ranked = groups.filter((group) => group.ranked);
  const entropies = groups.flatMap(({ entropy }) => (entropy === undefined ? [] : [entropy]));
  const ended = groups.flatMap((group) => group.ended);
  return {
    ...rewardMetrics(groups),
    'groups with a hit': share(({ rank }) => rank > 0),
    'groups with equal rewards': share(hasEqualRewards),
    ...(ranked.length > 0 && {
      [`rollout HR@${K}`]: mean(ranked.map(({ rank }) => GAINS.HR(rank, K))),
      [`rollout NDCG@${K}`]: mean(ranked.map(({ rank }) => GAINS.NDCG(rank, K))),
      'distinct items': new Set(items).size,
      'distinct first codes': new Set(firsts).size,
    }),
    ...(entropies.length > 0 && { entropy: mean(entropies) }),
    completions: lengths.length,
    'completion tokens': mean(lengths),
    ...(ended.includes(false) && { 'completions truncated': 1 - mean(ended.map(Number)) }),
  };
}

/** Mean and deviation over all completions, as rewards gave them: of the weighted sum and, where there are several, of each. */
function rewardMetrics(groups: readonly RolledGroup[]): Record<string, number> {
  const names = [...new Set(groups.flatMap(({ rewards }) => Object.keys(rewards.each)))];
  const all: [name: string, values: number[]][] = [['reward', groups.flatMap(({ rewards }) => rewards.sum)]];
  if (names.length > 1 || groups.some(({ rewards }) => rewards.perToken)) {
    for (const name of names) all.push([`reward ${name}`, groups.flatMap(({ rewards }) => rewards.each[name] ?? [])]);
  }
  return Object.fromEntries(
    all.flatMap(([name, values]) => {
      const { mean, deviation } = statistics(values);
      return [
        [name, mean],
        [`${name} std`, deviation],
      ];
    }),
  );
}

/** Of the tokens whose gradient was computed; of none there is nothing to say. */
export function policyMetrics(sums: PolicySums, withKl: boolean, delta: number): Record<string, number> {
  const { tokens, kl, clippedLow, clippedHigh, clippedDual, ratioMin, ratioMax } = sums;
  if (tokens === 0) return {};
  return {
    ...(withKl && { kl: kl / tokens }),
    ...{ 'clip low': clippedLow / tokens, 'clip high': clippedHigh / tokens },
    ...(delta > 0 && { 'clip dual': clippedDual / tokens }),
    ...{ 'ratio min': ratioMin, 'ratio max': ratioMax },
  };
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
