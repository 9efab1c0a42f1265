/** `rollouts.jsonl`: what is written of a group, what a table of it has, and what a run that goes on drops. */
import { appendFileSync, existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { wordTokenizer } from '../../../lib/lm/tokenizer/tokenizer.js';
import type { RolledGroup } from '../../../lib/train/grpo/rollout/rolled-groups.js';
import {
  type LoggedGroup,
  loggedGroup,
  logRollouts,
  readRollouts,
  truncateRollouts,
} from '../../../lib/train/grpo/rollout/rollout-log.js';

const tokenizer = wordTokenizer(['one', 'two', 'three'], []);
const [one, two, three] = ['one', 'two', 'three'].map((word) => tokenizer.encode(word)[0]!) as [number, number, number];
const rolled = {
  ...{ task: 'sids', row: { user: 'u', history: [1], target: 2 }, prompt: [one], completions: [[two], [three, one]] }, // prettier-ignore
  ...{ items: [[2, 0], []], rewards: { total: [7, -7], sum: [1, 0], each: { rule: [1, 0] } } }, // prettier-ignore
} as unknown as RolledGroup;
const titles = ['a', 'b', 'c'].map((title) => ({ title }));
const PLAIN: LoggedGroup = {
  ...{ step: 3, task: 'sids', user: 'u', prompt: 'one', target: 2, items: [[2, 0], []], texts: ['two', 'three one'] }, // prettier-ignore
  ...{ reward: [1, 0], rewards: { rule: [1, 0] }, advantages: [0.5, -0.5] },
};
const newRun = (): string => mkdtempSync(join(tmpdir(), 'sidlab-rollouts-'));

describe('a group', () => {
  test('texts, items, titles where there are such', () => {
    const of = (some: typeof titles, row = rolled.row) => loggedGroup(3, { ...rolled, row }, { advantages: [0.5, -0.5] }, tokenizer, some); // prettier-ignore
    expect(of([])).toStrictEqual(PLAIN);
    expect(of(titles)).toStrictEqual({ ...PLAIN, targetTitle: 'c', titles: ['c', ''] });
    const lone = { ...rolled, items: [[0], []], row: { ...rolled.row, target: 0 } };
    expect(loggedGroup(3, lone, { advantages: [1, 2] }, tokenizer, titles.slice(0, 1))).toMatchObject({ targetTitle: 'a', titles: ['a', ''] }); // prettier-ignore
  });

  test('an advantage a token is told as the mean', () => {
    const { advantages } = loggedGroup(3, rolled, { advantages: [[3], [1, -4]] }, tokenizer, []);
    expect(advantages).toEqual([3, -1.5]);
  });
});

describe('a table', () => {
  const { advantages: _advantages, reward: _reward, rewards: _rewards, items: _items, texts: _texts, ...shared } = PLAIN; // prettier-ignore

  test('a row a completion, groups numbered within their step', () => {
    const run = newRun();
    logRollouts(run, [PLAIN, { ...PLAIN, titles: ['c', ''] }]);
    logRollouts(run, [{ ...PLAIN, step: 4 }]);
    const best = { ...shared, rank: 1, item: 2, title: '', text: 'two', hit: true, reward: 1, advantage: 0.5, 'reward rule': 1 }; // prettier-ignore
    const rest = { ...shared, rank: 2, item: -1, title: '', text: 'three one', hit: false, reward: 0, advantage: -0.5, 'reward rule': 0 }; // prettier-ignore
    expect(readRollouts(run)).toStrictEqual([
      { ...best, group: 0 },
      { ...rest, group: 0 },
      { ...best, group: 1, title: 'c' },
      { ...rest, group: 1 },
      { ...best, step: 4, group: 0 },
      { ...rest, step: 4, group: 0 },
    ]);
  });

  test('a line that a kill cut short is passed over; nothing logged is an error', () => {
    const run = newRun();
    expect(() => readRollouts(run)).toThrow('train with --log-rollouts first');
    logRollouts(run, [PLAIN]);
    appendFileSync(join(run, 'rollouts.jsonl'), '{"step": 4, "ta');
    expect(readRollouts(run)).toHaveLength(2);
  });
});

test('a run that goes on keeps what was logged up to its step', () => {
  const run = newRun();
  truncateRollouts(run, 3);
  expect(existsSync(join(run, 'rollouts.jsonl'))).toBe(false);
  logRollouts(
    run,
    [2, 3, 4].map((step) => ({ ...PLAIN, step })),
  );
  truncateRollouts(run, 3);
  logRollouts(run, [{ ...PLAIN, step: 5 }]);
  expect(readRollouts(run).map(({ step }) => step)).toEqual([2, 2, 3, 3, 5, 5]);
});
