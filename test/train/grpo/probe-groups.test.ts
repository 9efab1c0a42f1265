/** Groups for an estimate: of the size that rollouts have, whatever is in them. */
import { beforeAll, expect, test } from 'vitest';
import { beamSearch } from '../../../lib/decode/beam-search.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { probeGroups, sizedGroup } from '../../../lib/train/grpo/rollout/probe-groups.js';
import type { TaskRow } from '../../../lib/train/grpo/rollout/rl-task.js';
import { type Toy, toy } from './toy.js';

let words: Toy;
let sids: Toy;
let rows: TaskRow[];
beforeAll(async () => {
  await useEngine();
  words = toy(undefined, 'rouge', 'qwen2:32x1', 'sid2title');
  sids = toy();
  rows = sids.rows.map((row, r) => ({ task: r % 2, row })); // of words and of SIDs in turn
});

const tasksOf = () => [words.task, sids.task];
const promptOf = ({ task, row }: TaskRow) => tasksOf()[task]!.render.prompt(row.history, row.target);

test('of the largest size, with token 0, which every vocabulary has; advantages of either sign', () => {
  const [row] = rows as [TaskRow];
  const text = [0, 0, 0, 0, 0, 0, 0, 0];
  const group = { prompt: promptOf(row), completions: [text, text, text], advantages: [1, -1, 1] };
  expect(sizedGroup(tasksOf(), row, { numGenerations: 3, sftWeight: 0 })).toStrictEqual(group);
  const answer = words.task.render.answer(row.row.target, row.row.history);
  for (const sftWeight of [0.5, 2]) expect(sizedGroup(tasksOf(), row, { numGenerations: 3, sftWeight })).toStrictEqual({ ...group, answer }); // prettier-ignore
});

test('the beams of what answers with a SID, all else at its largest, each in its place', () => {
  for (const sftWeight of [0, 0.5]) {
    const options = { numGenerations: 3, sftWeight };
    const made = probeGroups(sids.model, tasksOf(), rows, options);
    expect([made[0], made[2]]).toStrictEqual([0, 2].map((r) => sizedGroup(tasksOf(), rows[r]!, options)));
    for (const r of [1, 3]) {
      const items = beamSearch(sids.model, sids.task.trie!, [promptOf(rows[r]!)], { numBeams: 3 })[0]!.items;
      const completions = items.map((item) => sids.task.render.answer(item));
      const answer = sids.task.render.answer(rows[r]!.row.target);
      const group = { prompt: promptOf(rows[r]!), completions, advantages: [1, -1, 1] };
      expect(made[r]).toStrictEqual({ ...group, ...(sftWeight > 0 && { answer }) });
    }
  }
  const options = { numGenerations: 3, sftWeight: 0 };
  const all = probeGroups(sids.model, tasksOf(), rows, options);
  expect(all[1]!.completions).not.toEqual(sizedGroup(tasksOf(), rows[1]!, options).completions);
  expect(probeGroups(sids.model, tasksOf(), rows.slice(1, 2), options)).toStrictEqual([all[1]]);
});
