/**
 * From rows to rewarded groups: prompts are rolled out, their completions rewarded, and those that are one text become
 * one completion with the best of its rewards.
 */
import { balancedRun } from '../../../cluster/alone.js';
import type { Cluster } from '../../../cluster/cluster.js';
import type { Row } from '../../../data/dataset.js';
import type { LanguageModel } from '../../../lm/language-model.js';
import type { TextTokenizer } from '../../../lm/tokenizer/tokenizer.js';
import { areEqual } from '../loss/advantages.js';
import type { Group } from '../loss/group.js';
import type { RewardContext } from '../rewards/reward-context.js';
import type { Aggregation } from '../grpo-words.js';
import { type GroupRewards, normalizedSum, rewardGroup } from '../rewards/reward-group.js';
import { fromPlain, type PlainGroup, toPlain } from '../shared-groups.js';
import { type RlTask, rowName, type TaskRow } from './rl-task.js';
import { type Completions, rollOut, type RolloutOptions, type RolloutRequest, textKey } from './rollout.js';

/** A group that was rolled out and rewarded. G distinct completions. */
export interface RolledGroup extends Omit<Group, 'advantages'> {
  /** Name of its task. */
  task: string;
  /** Whether its task asks for items, so that it is a list of them. */
  ranked: boolean;
  row: Row;
  /** Items of each completion; none of a text that is no item [G][...]. */
  items: readonly (readonly number[])[];
  /** Whether each came to its end [G]. */
  ended: readonly boolean[];
  /** What each is worth [G], and each of its tokens. */
  rewards: GroupRewards;
  /** Rank of the target among the items that were found, from 1; 0 where they lack it. */
  rank: number;
  /** Items found, in their order. */
  found: readonly number[];
  /** Of the policy, in nats. */
  entropy?: number;
}

/** What rewards read beside the group. */
export type RewardSources = Pick<
  RewardContext,
  'texts' | 'index' | 'vectors' | 'counts' | 'scorer' | 'scored' | 'embed'
> & {
  tokenizer: TextTokenizer;
};

/** How groups are made. */
export interface RolledGroupOptions extends RolloutOptions {
  /** Default `sum_then_normalize`. */
  aggregateRewards: Aggregation;
  /** Right answers are kept beside the completions. */
  withAnswers: boolean;
  /** Receives the seconds that rewards took, beside the search. */
  onRewards?: (seconds: number) => void;
}

/**
 * @param seed of all draws
 * @param cluster whose processes share each task's prompts; all get all groups
 * @returns one group a row, in their order
 */
export async function rolledGroups(
  model: LanguageModel,
  tasks: readonly RlTask[],
  rows: readonly TaskRow[],
  sources: RewardSources,
  options: RolledGroupOptions,
  seed: string,
  cluster?: Cluster,
): Promise<RolledGroup[]> {
  const groups = await ownRolledGroups(model, tasks, rows, sources, options, seed, cluster);
  if (!cluster) return rows.map((_, r) => groups.get(r)!);
  const plain = [...groups].map(([r, group]) => [r, toPlain([group], tasks)[0]!] as const);
  const all = new Map<number, PlainGroup<RolledGroup>>(cluster.exchange(plain).flat());
  return fromPlain(
    rows.map((_, r) => all.get(r)!),
    tasks,
  );
}

/** This process's, by the places of their rows. */
async function ownRolledGroups(
  model: LanguageModel,
  tasks: readonly RlTask[],
  rows: readonly TaskRow[],
  sources: RewardSources,
  options: RolledGroupOptions,
  seed: string,
  cluster: Cluster | undefined,
): Promise<Map<number, RolledGroup>> {
  const groups = new Map<number, RolledGroup>();
  for (const [number, task] of tasks.entries()) {
    const ofTask = [...rows.keys()].filter((r) => rows[r]!.task === number);
    const places = balancedRun(cluster, ofTask, () => 1);
    if (places.length === 0) continue;
    const requests = places.map((r) => requestOf(task, rows[r]!.row));
    const offset = ofTask.indexOf(places[0]!);
    const found = await rollOut(model, task, requests, options, `${seed}/${task.name}`, offset);
    const start = performance.now();
    const own = places.map((place) => rows[place]!.row);
    const scored = await scoredTogether(task, own, found, sources);
    for (const [i, place] of places.entries()) {
      const ofGroup = scored ? { ...sources, scored: scored[i]! } : sources;
      groups.set(place, await rewardedGroup(task, own[i]!, requests[i]!, found[i]!, ofGroup, options));
    }
    options.onRewards?.((performance.now() - start) / 1000);
  }
  return groups;
}

/** What the scorer says of all groups' items, asked once: a call has a price of its own, whatever it is about. */
async function scoredTogether(
  { rewards }: RlTask,
  rows: readonly Row[],
  found: readonly Completions[],
  { scorer }: RewardSources,
): Promise<readonly ArrayLike<number>[] | undefined> {
  if (!scorer || !rewards.some(({ named }) => named?.needs === 'scorer')) return undefined;
  const known = found.map(({ items }) => items.filter((item) => item >= 0));
  const asked = [...rows.keys()].filter((r) => known[r]!.length > 0);
  const scores = await scorer(
    asked.map((r) => rows[r]!.history),
    asked.map((r) => known[r]!),
  );
  const by = new Map(asked.map((r, i) => [r, scores[i]]));
  return rows.map((_, r) => by.get(r) ?? []);
}

function requestOf({ name, render }: RlTask, row: Row): RolloutRequest {
  const { history, target } = row;
  return {
    prompt: render.prompt(history, target),
    ...{ target, answer: render.answer(target, history), name: rowName(name, row) },
  };
}

/** The completions of a row, rewarded. @param options default: rewards are summed, nothing is kept for later */
export async function rewardedGroup(
  task: RlTask,
  row: Row,
  { prompt, answer, target }: RolloutRequest,
  { items, tokens, scores, ended, entropy, truthAdded }: Completions,
  { tokenizer, ...sources }: RewardSources,
  options: Partial<Pick<RolledGroupOptions, 'aggregateRewards' | 'withAnswers' | 'normalize' | 'rollout' | 'temperature'>> = {}, // prettier-ignore
): Promise<RolledGroup> {
  const { aggregateRewards = 'sum_then_normalize', withAnswers = false, normalize = 'full' } = options;
  const { rollout = 'beams', temperature = 1 } = options;
  const isDrawn = rollout !== 'beams' || task.kind === 'texts';
  const textOf = (of: readonly number[]): string =>
    tokenizer.decode(of.at(-1) === task.end ? of.slice(0, -1) : of).trim();
  const rewards = await rewardGroup(task.rewards, {
    ...{ ...sources, items, target, tokens, row, task: task.name, expectedTokens: answer, ...(scores && { scores }) },
    get answers() {
      return tokens.map(textOf); // only for a reward that reads them
    },
    get expected() {
      return textOf(answer);
    },
    get prompt() {
      return tokenizer.decode(prompt);
    },
  });
  const best = distinctCompletions(tokens, rewards.sum);
  const merged = pick(rewards, best);
  if (aggregateRewards === 'normalize_then_sum') merged.total = normalizedSum(task.rewards, merged);
  const found = items.slice(0, truthAdded ? -1 : undefined);
  return {
    ...{ task: task.name, ranked: task.kind === 'items', row, prompt, rewards: merged },
    ...{ found, rank: found.indexOf(target) + 1 },
    completions: best.map((g) => tokens[g]!),
    items: best.map((g) => items.filter((item, other) => item >= 0 && textKey(tokens[other]!) === textKey(tokens[g]!))),
    ended: best.map((g) => ended[g]!),
    ...(entropy !== undefined && { entropy }),
    ...(withAnswers && { answer }),
    ...(task.trie && normalize === 'legal' && { trie: task.trie }),
    ...(isDrawn && temperature !== 1 && { temperature }),
  };
}

/**
 * Of completions that are the same tokens one, the first with the largest of their rewards: a group compares texts, and
 * one text must not be pushed up and down at once.
 *
 * @param completions token ids [G][...] @param rewards one a completion [G]
 * @returns numbers of the completions that are kept, in the order in which their texts come first
 * @example distinctCompletions([[1, 2], [1, 2], [1, 3]], [-0.4, 1, -0.2]) // [1, 2]
 */
export function distinctCompletions(completions: readonly (readonly number[])[], rewards: readonly number[]): number[] {
  const best = new Map<string, number>();
  completions.forEach((completion, g) => {
    const known = best.get(textKey(completion));
    if (known === undefined || rewards[g]! > rewards[known]!) best.set(textKey(completion), g);
  });
  return [...best.values()];
}

function pick({ total, sum, perToken, ofTokens, each }: GroupRewards, entries: readonly number[]): GroupRewards {
  const of = <T>(values: readonly T[]): T[] => entries.map((g) => values[g]!);
  return {
    ...{ total: of(total), sum: of(sum) },
    ...(perToken && { perToken: of(perToken) }),
    ...(ofTokens && { ofTokens }),
    each: Object.fromEntries(Object.entries(each).map(([name, values]) => [name, of(values)])),
  };
}

/** Whether the group's rewards tell its completions nothing apart. */
export function hasEqualRewards({ rewards: { total, perToken } }: RolledGroup): boolean {
  return areEqual(total) && (!perToken || areEqual(perToken.flat()));
}
