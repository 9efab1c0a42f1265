/** Recency ignored, or a shop that changes: late rows count more, and the latest item is said again. */
import type { PipelineConfig } from '../../pipeline/config.js';
import { planTasks } from '../../tasks/plan-tasks.js';
import type { Changes, Strategy } from '../strategy.js';
import { addWeight, tasksOf } from '../training-options.js';

/** Half-life as a share of the training rows: needs no times, and the first rows count a sixteenth of the last. */
const HALF_LIFE = '25%';
/** Tasks whose wording has a counterpart that says the latest item again. */
const RECENT: Readonly<Record<string, string>> = { words: 'recent', seqrec: 'recency2sid' };
/** Items of context in chain mode at the least. */
const WINDOW = 5;

/** Weights of rows by age, recency in the wording, a shorter context. */
export const RECENCY_BIAS: Strategy = {
  name: 'recency_bias',
  help: 'rows weighted by time decay, the latest item said again, a shorter context',
  modes: ['recency ignored', 'drift'],
  propose({ config }) {
    const changes = {
      ...addWeight(config, 'sft', `recency:${HALF_LIFE}`),
      ...(config.grpo && addWeight(config, 'grpo', `recency:${HALF_LIFE}`)),
      ...wording(config),
      ...(chains(config) && (config.sft?.window ?? 10) > WINDOW && { 'sft.window': WINDOW }),
    };
    if (Object.keys(changes).length === 0) return 'late rows count more already';
    return {
      changes,
      expected:
        'Lists follow what was bought last and what sells now; old favourites, and users who come back after long, may lose ' +
        'a little.',
    };
  },
};

/** Whether a task is trained in chain mode, which alone has a window. */
function chains({ sft = {} }: PipelineConfig): boolean {
  return planTasks(sft).parts.some(({ mode }) => mode === 'chain');
}

/** The tasks under their recent wording. */
function wording(config: PipelineConfig): Changes {
  const { template, tasks } = config.sft ?? {};
  const renamed = (text: string): string => RECENT[text] ?? text;
  const mix = tasksOf(config)
    .split(',')
    .map((part) => {
      const [name = '', ...settings] = part.trim().split(':');
      return [renamed(name), ...settings].join(':');
    })
    .join(',');
  return {
    ...(tasks !== undefined && mix !== tasks && { 'sft.tasks': mix }),
    ...(template !== undefined && renamed(template) !== template && { 'sft.template': renamed(template) }),
  };
}
