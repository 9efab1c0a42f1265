/** Validation of answers in words: the mean reward of what is written when nothing is drawn. */
import { beforeAll, expect, test } from 'vitest';
import { generate } from '../../../lib/decode/generate.js';
import { useEngine } from '../../../lib/engine/engine.js';
import type { Reward, RewardContext } from '../../../lib/train/grpo/rewards/reward-context.js';
import { rewardParts } from '../../../lib/train/grpo/rewards/reward-list.js';
import { textValidator } from '../../../lib/train/grpo/rollout/text-validation.js';
import { mean, toy } from './toy.js';

beforeAll(async () => void (await useEngine()));

test('the greedy answer to each row, up to its end, rewarded as no item', async () => {
  const of = toy(undefined, 'rouge', 'qwen2:32x1', 'sid2title');
  const rows = of.rows.slice(0, 3);
  const prompts = rows.map(({ history, target }) => of.task.render.prompt(history, target));
  const { texts } = await generate(of.model, prompts, { maxTokens: 8 });
  const written = texts.map(({ tokens }) => tokens);
  expect(written.map(({ length }) => length)).toEqual([8, 8, 8]);
  const until = (end?: number) =>
    written.map((tokens) => tokens.slice(0, tokens.indexOf(end!) < 0 ? 8 : tokens.indexOf(end!) + 1));
  const common = written[0]!.find((token) => until(token).some(({ length }) => length < 8))!; // ends some text early
  for (const end of [undefined, common]) {
    const seen: RewardContext[] = [];
    const spy: Reward = (given) => (seen.push({ ...given }), [given.tokens![0]!.length]);
    const { end: _end, ...task } = { ...of.task, rewards: rewardParts(spy)! };
    const validate = textValidator(
      of.model,
      [{ ...task, ...(end !== undefined && { end }) }],
      rows.map((row) => ({ task: 0, row })),
      { tokenizer: of.tokenizer, index: of.index },
    );
    expect(await validate()).toEqual({ reward: mean(until(end).map(({ length }) => length)) });
    expect(seen.map(({ tokens }) => tokens)).toEqual(until(end).map((tokens) => [tokens]));
    expect(seen.map(({ items }) => items)).toEqual([[-1], [-1], [-1]]);
    expect(seen.map(({ row }) => row)).toEqual(rows);
    expect(seen[0]!.expectedTokens).toEqual(of.task.render.answer(rows[0]!.target));
  }
});
