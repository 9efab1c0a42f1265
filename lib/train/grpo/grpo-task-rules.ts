/**
 * Rules between the options of GRPO and the tasks that are rolled out, each with its reason: what none of the tasks would
 * use is refused, before anything is read or written.
 */
import { InputError } from '../../support/errors.js';
import type { TaskPart } from '../../tasks/task-mix.js';
import { VALID_METRICS } from '../loop/validate.js';
import type { GrpoParsed } from './grpo-options.js';
import type { RewardPart } from './rewards/reward-list.js';
import { answerKind, rewardsFor } from './rollout/rl-task.js';

/** @throws InputError for the first that does not fit */
export function checkTasks(parsed: GrpoParsed, parts: readonly TaskPart[], rewards: readonly RewardPart[]): void {
  checkNeeds(rewards, parsed);
  checkRewards(parts, rewards);
  checkDraws(parsed, parts);
  checkWords(parsed, parts);
  checkMetric(parsed, parts);
}

/** What rewards read beside the group, and the options that give it. */
const SOURCES = {
  vectors: { option: 'embeddings', mend: '--embeddings FILE, the item vectors (.npy)' },
  scorer: {
    option: 'scorer',
    mend: '--scorer-model FOLDER of a trained baseline, or in a notebook scorer, a function (histories, items) => scores',
  },
  embed: { option: 'embed', mend: 'embed, a function from texts to vectors, in a notebook' },
} as const;

/** A reward that lacks what it reads is found before a run begins, and so is what nobody reads; one's own may read all. */
function checkNeeds(rewards: readonly RewardPart[], parsed: GrpoParsed): void {
  for (const [need, { option, mend }] of Object.entries(SOURCES)) {
    const given = parsed[option] !== undefined;
    const reader = rewards.find(({ named }) => named?.needs === need);
    if (reader && !given) throw new InputError(`grpo: reward ${reader.name}: expected ${mend}, got none`);
    if (!given || reader || rewards.some(({ named }) => named === undefined)) continue;
    throw new InputError(`grpo: ${option}: none of the rewards reads it (${namesOf(rewards)}); leave it out`);
  }
}

/** Each task has a reward, and each reward a task. */
function checkRewards(parts: readonly TaskPart[], rewards: readonly RewardPart[]): void {
  const used = new Set(parts.flatMap(({ name, template }) => rewardsFor(name, template, rewards)));
  const idle = rewards.find((part) => !used.has(part));
  if (!idle) return;
  const tasks = parts.map(({ name }) => name).join(', ');
  throw new InputError(`grpo: reward ${idle.name}: it is for none of the tasks (${tasks}); leave it out`);
}

/** Where nothing is drawn a temperature or a nucleus would do nothing. */
function checkDraws({ rollout, temperature, topP }: GrpoParsed, parts: readonly TaskPart[]): void {
  if (rollout !== 'beams' || hasWords(parts)) return;
  for (const [flag, value] of Object.entries({ temperature, 'top-p': topP })) {
    if (value === 1) continue;
    throw new InputError(`grpo: --${flag}: the best beams are not drawn; take --rollout sample, or leave it out`);
  }
}

/** Texts without the trie have no legal tokens, and are the only ones that may run out of room. */
function checkWords({ rollout, normalize, maskTruncated }: GrpoParsed, parts: readonly TaskPart[]): void {
  const words = parts.find(({ template }) => answerKind(template) === 'texts');
  if (normalize === 'legal' && words) {
    throw new InputError(
      `grpo: --normalize legal: task ${words.name} answers in words, which have no legal continuations; take full`,
    );
  }
  if (maskTruncated && rollout !== 'free' && !words) {
    throw new InputError('grpo: --mask-truncated: under the trie every completion comes to its end; leave it out');
  }
}

/** The metric that is looked at is one that validation gives. */
function checkMetric({ bestMetric, template }: GrpoParsed, parts: readonly TaskPart[]): void {
  const ranked = parts.some((part) => answerKind(part.template) === 'items');
  if (!ranked && template !== undefined && parts.every(({ name }) => name !== template)) {
    throw new InputError(
      `grpo: --template ${template}: no task of --tasks is ranked, all answer in words; leave it out`,
    );
  }
  const names: readonly string[] = ranked ? VALID_METRICS : ['reward'];
  if (bestMetric === undefined || names.includes(bestMetric)) return;
  throw new InputError(`grpo: expected --best-metric to be one of ${names.join(', ')}, got ${bestMetric}`);
}

function hasWords(parts: readonly TaskPart[]): boolean {
  return parts.some(({ template }) => answerKind(template) === 'texts');
}

function namesOf(rewards: readonly RewardPart[]): string {
  return rewards.map(({ name }) => name).join(', ');
}
