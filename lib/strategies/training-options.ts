/** What a configuration's training is, as strategies ask it: its tasks, whether they hold text, weights and rewards in a list. */
import type { PipelineConfig } from '../pipeline/config.js';
import { planTasks } from '../tasks/plan-tasks.js';
import { holdsText } from '../tasks/templates.js';
import { isShape } from '../train/sft/initial-model.js';
import type { Changes } from './strategy.js';

/** The mix of tasks as a text. */
export function tasksOf({ sft = {} }: PipelineConfig): string {
  return sft.tasks ?? sft.template ?? 'sids';
}

/** Names of the mix. */
export function taskNames(config: PipelineConfig): string[] {
  return planTasks(config.sft ?? {}).parts.map(({ name }) => name);
}

/** Whether the model reads words beside SIDs: it comes from a folder, or a task of its mix holds titles. */
export function readsText({ sft = {} }: PipelineConfig): boolean {
  const { model = 'qwen2:128x4' } = sft;
  return !isShape(model) || planTasks(sft).parts.some(({ template }) => holdsText(template));
}

/** Tasks that join the mix, with their settings (`title2sid:0.5`), but for those that are there; what is ranked stays. */
export function addTasks(config: PipelineConfig, tasks: readonly string[]): Changes {
  const there = taskNames(config);
  const others = tasks.filter((task) => !there.includes(task.split(':')[0]!));
  if (others.length === 0) return {};
  const { ranked } = planTasks(config.sft ?? {});
  return {
    'sft.tasks': [tasksOf(config), ...others].join(','),
    ...(ranked !== undefined && { 'sft.template': ranked }),
  };
}

/** A factor that joins the weights of rows, unless one of its kind is there. */
export function addWeight(config: PipelineConfig, stage: 'sft' | 'grpo', factor: string): Changes {
  const there = config[stage]?.rowWeights;
  const [kind] = factor.split(':');
  if (there?.split(',').some((part) => part.trim().split(':')[0] === kind)) return {};
  return { [`${stage}.rowWeights`]: there === undefined ? factor : `${there},${factor}` };
}

/** A reward that joins those of GRPO; nothing where there is no GRPO, or its rewards are functions. */
export function addReward(config: PipelineConfig, reward: string): Changes {
  if (!config.grpo) return {};
  const { reward: there = 'ranking' } = config.grpo;
  const [name] = reward.split(':');
  if (typeof there !== 'string' || there.split(',').some((part) => part.trim().split(':')[0] === name)) return {};
  return { 'grpo.reward': `${there},${reward}` };
}
