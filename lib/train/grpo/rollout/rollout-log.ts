/**
 * `rollouts.jsonl` of a run: some groups of every update as they were rolled out, a line a group; `readRollouts` gives
 * one row a completion, a table for a notebook.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Item } from '../../../data/dataset.js';
import { appendOrFail, readText, writeAtomic } from '../../../files/files.js';
import type { TextTokenizer } from '../../../lm/tokenizer/tokenizer.js';
import type { Group } from '../loss/group.js';
import type { RolledGroup } from './rolled-groups.js';

/** A line of the file. G completions. */
export interface LoggedGroup {
  /** The update's number, from 1. */
  step: number;
  task: string;
  user: string;
  /** As the tokenizer decodes it. */
  prompt: string;
  target: number;
  /** Its title, where the data set has items. */
  targetTitle?: string;
  /** Items of each completion, several where they share a SID [G][...]. */
  items: number[][];
  /** Titles of the first of them [G]; empty for a text that is no item. */
  titles?: string[];
  /** As the tokenizer decodes them [G]. */
  texts: string[];
  /** Sum of the weighted rewards, as they were given [G], and every reward by name. */
  reward: number[];
  rewards: Record<string, number[]>;
  /** Of each completion, or the mean of its tokens' [G]. */
  advantages: number[];
}

/** One completion, for a table. */
export interface RolloutRow {
  step: number;
  /** Number of the group among those of the step, from 0. */
  group: number;
  task: string;
  user: string;
  prompt: string;
  target: number;
  /** Place in the group, from 1. */
  rank: number;
  /** The first of its items, -1 where it is none. */
  item: number;
  title: string;
  text: string;
  hit: boolean;
  reward: number;
  advantage: number;
  /** `reward NAME` of each. */
  [reward: `reward ${string}`]: number;
}

const FILE = 'rollouts.jsonl';

/** @param titles index = item id */
export function loggedGroup(
  step: number,
  { task, row, prompt, items, completions, rewards }: RolledGroup,
  { advantages }: Pick<Group, 'advantages'>,
  tokenizer: TextTokenizer,
  titles: readonly Pick<Item, 'title'>[],
): LoggedGroup {
  const { user, target } = row;
  const own = titles.length > 0;
  return {
    ...{ step, task, user, prompt: tokenizer.decode(prompt), target },
    ...(own && { targetTitle: titles[target]!.title }),
    items: items.map((of) => [...of]),
    ...(own && { titles: items.map(([first]) => (first === undefined ? '' : titles[first]!.title)) }),
    texts: completions.map((tokens) => tokenizer.decode(tokens)),
    ...{ reward: rewards.sum, rewards: rewards.each },
    advantages: advantages.map((of) => (typeof of === 'number' ? of : of.reduce((sum, a) => sum + a, 0) / of.length)),
  };
}

/** Adds groups to a run's file. */
export function logRollouts(run: string, groups: readonly LoggedGroup[]): void {
  appendOrFail(join(run, FILE), groups.map((group) => JSON.stringify(group) + '\n').join(''));
}

/** Drops what a killed run logged after the step that it is resumed from. */
export function truncateRollouts(run: string, step: number): void {
  const file = join(run, FILE);
  if (!existsSync(file)) return;
  const kept = lines(file).filter((group) => group.step <= step);
  writeAtomic(file, kept.map((group) => JSON.stringify(group) + '\n').join(''));
}

/** Every logged completion of a run, a row each. @throws InputError where nothing was logged */
export function readRollouts(run: string): RolloutRow[] {
  const numbers = new Map<number, number>();
  return lines(join(run, FILE)).flatMap((logged) => {
    const group = numbers.get(logged.step) ?? 0;
    numbers.set(logged.step, group + 1);
    const { step, task, user, prompt, target } = logged;
    return logged.items.map((items, g): RolloutRow => ({
      ...{ step, group, task, user, prompt, target, rank: g + 1, item: items[0] ?? -1 },
      ...{ title: logged.titles?.[g] ?? '', text: logged.texts[g]!, hit: items.includes(target) },
      ...{ reward: logged.reward[g]!, advantage: logged.advantages[g]! },
      ...Object.fromEntries(Object.entries(logged.rewards).map(([name, values]) => [`reward ${name}`, values[g]!])),
    }));
  });
}

/** A last line that a kill cut short is passed over, and the end of the file. */
function lines(file: string): LoggedGroup[] {
  return readText(file, 'train with --log-rollouts first')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as LoggedGroup];
      } catch {
        return [];
      }
    });
}
