/** Validation of a mix whose answers are all words: the reward of what the model writes when it draws nothing. */
import { generate } from '../../../decode/generate.js';
import type { LanguageModel } from '../../../lm/language-model.js';
import type { Validator } from '../../loop/validate.js';
import { type RewardSources, rewardedGroup } from './rolled-groups.js';
import type { RlTask, TaskRow } from './rl-task.js';

/** Mean reward of the greedy answer to each row. */
export function textValidator(
  model: LanguageModel,
  tasks: readonly RlTask[],
  rows: readonly TaskRow[],
  sources: RewardSources,
): Validator {
  return async () => {
    let sum = 0;
    for (const { task: number, row } of rows) {
      const task = tasks[number]!;
      const request = { prompt: task.render.prompt(row.history, row.target), target: row.target, name: task.name };
      const answer = task.render.answer(row.target, row.history);
      const { texts } = await generate(model, [request.prompt], {
        ...{ maxTokens: task.maxTokens, endTokens: task.end === undefined ? [] : [task.end], label: 'validate' },
      });
      const { tokens, reason } = texts[0]!;
      const whole = reason === 'end' ? [...tokens, task.end!] : tokens;
      const completions = { items: [-1], tokens: [whole], ended: [reason === 'end'] };
      const group = await rewardedGroup(task, row, { ...request, answer }, completions, sources);
      sum += group.rewards.sum[0]!;
    }
    return { reward: sum / rows.length };
  };
}
