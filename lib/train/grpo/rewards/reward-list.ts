/** Which rewards count, and how much each: by name, as functions, in a weighted list; and how a run's configuration says so. */
import { hashText } from '../../../files/files.js';
import { type NamedReward, REWARD_NAMES, type RewardName, REWARDS } from './rewards.js';
import type { Reward } from './reward-context.js';

/** A reward of a list. */
export interface WeightedReward {
  /** Name of the kit's, or a function. */
  reward: RewardName | Reward;
  /** What it is multiplied by. Default 1. */
  weight?: number;
}

/**
 * What `reward` may be: a name, names with weights in a text (`rule,semantic:0.5`), a function, or a list of names,
 * functions and `{ reward, weight }`.
 */
export type RewardGiven = RewardName | (string & {}) | Reward | readonly (RewardName | Reward | WeightedReward)[];

/** A reward that counts. */
export interface RewardPart {
  /** Of the kit's, or of the function. */
  name: string;
  weight: number;
  reward: Reward;
  /** What the kit knows of it; absent for a function of the user's. */
  named?: NamedReward;
}

/** How a list is written, for messages. */
const REWARD_FORM = `one of ${REWARD_NAMES.join(', ')}, or some of them with weights (rule:1,semantic:0.5)`;

/** @returns undefined if it is none */
export function rewardParts(given: unknown): RewardPart[] | undefined {
  const parts = listOf(given).map(partOf);
  const names = parts.map((part) => part?.name);
  const isWhole = parts.length > 0 && parts.every((part) => part !== undefined);
  return isWhole && new Set(names).size === names.length ? (parts as RewardPart[]) : undefined;
}

/** What was expected in the place of what is given; undefined if it is right. */
export function rewardMismatch(given: unknown): string | undefined {
  if (rewardParts(given)) return undefined;
  const names = listOf(given).map((one) => partOf(one)?.name);
  const twice = names.find((name, i) => name !== undefined && names.indexOf(name) !== i);
  return twice === undefined ? REWARD_FORM : `rewards of different names (two are called ${twice})`;
}

function listOf(given: unknown): readonly unknown[] {
  if (typeof given === 'string') return given.split(',').map(weighted);
  return Array.isArray(given) ? given : [given];
}

/** `semantic:0.5` */
function weighted(text: string): unknown {
  const [name, weight, ...rest] = text.trim().split(':');
  if (rest.length > 0 || weight === '') return undefined;
  return { reward: name, ...(weight !== undefined && { weight: Number(weight) }) };
}

function partOf(given: unknown): RewardPart | undefined {
  const { reward, weight = 1 } = isWeighted(given) ? given : { reward: given as RewardName | Reward };
  if (!Number.isFinite(weight) || weight === 0) return undefined;
  if (typeof reward === 'function') return { name: reward.name === '' ? 'anonymous' : reward.name, weight, reward };
  if (!(REWARD_NAMES as readonly unknown[]).includes(reward)) return undefined;
  const named: NamedReward = REWARDS[reward];
  return { name: reward, weight, reward: named.reward, named };
}

function isWeighted(given: unknown): given is WeightedReward {
  return typeof given === 'object' && given !== null && 'reward' in given;
}

/** A function as a run's configuration holds it: its name and the SHA-256 of its source. */
export interface FunctionStamp {
  name: string;
  sha256: string;
  /** What else decides what it computes, where the function says so by a property of this name: the hash of a file, say. */
  identity?: string;
}

/** Rewards as a run's configuration holds them: the name of the only one, or all with their weights. */
export type RewardStamp = RewardName | FunctionStamp | ((RewardName | FunctionStamp) | { reward: RewardName | FunctionStamp; weight: number })[]; // prettier-ignore

/**
 * Two functions with one source have one stamp: a value from outside the function's body that it reads is not part of
 * it, so write the numbers that matter into the body, or into a property `identity` of the function.
 */
export function rewardStamp(parts: readonly RewardPart[]): RewardStamp {
  const all = parts.map(({ name, weight, reward, named }) => {
    const own = named ? (name as RewardName) : functionStamp(reward, name);
    return weight === 1 ? own : { reward: own, weight };
  });
  const [only] = all;
  return all.length === 1 && parts[0]!.weight === 1 ? (only as RewardName | FunctionStamp) : all;
}

/** @param name said in place of none */
export function functionStamp(given: (...args: never[]) => unknown, name = given.name || 'anonymous'): FunctionStamp {
  const { identity } = given as { identity?: unknown };
  return { name, sha256: hashText(given.toString()), ...(typeof identity === 'string' && { identity }) };
}
