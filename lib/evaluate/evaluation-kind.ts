/** From the options of `evaluate` to what tells its results from those of other options. */
import type { SettingsOf } from '../options/schema.js';
import type { EVALUATE_OPTIONS } from './evaluate-options.js';
import type { PromptKind } from './prompt-kind.js';
import type { EvaluationKind } from './results-place.js';
import { scorerIdentity } from './scorer.js';

/** What the options leave to others. */
export interface SettledKind {
  /** Name of the task. */
  template: string;
  /** Of the large products. */
  precision: 'float32' | 'bfloat16';
  /** How prompts differ from those of the training. */
  prompts: PromptKind;
}

/** Only what is not as usual is said, so that a kind stays what it was when options are added. */
export function evaluationKind(
  settings: SettingsOf<typeof EVALUATE_OPTIONS>,
  { template, precision, prompts }: SettledKind,
): EvaluationKind {
  const { split, shuffleHistories: seed, limit, wording, shard, part, assistant, assistantWeight } = settings;
  const { numBeams, normalize, lengthPenalty, lengthOf, logitAdjustment, sharedSids, excludeHistory } = settings;
  return {
    ...{ split, template, numBeams, normalize, precision },
    ...(lengthPenalty !== 0 && { lengthPenalty }),
    ...(logitAdjustment !== 0 && { logitAdjustment }),
    ...(sharedSids !== 'each' && { sharedSids }),
    ...(lengthPenalty !== 0 && lengthOf !== 'tokens' && { lengthOf }),
    ...(typeof assistant === 'function' && { assistant: scorerIdentity(assistant), assistantWeight }),
    ...(excludeHistory && { excludeHistory }),
    ...prompts,
    ...(wording > 1 && { wording }),
    ...(limit > 0 && { limit }),
    ...(seed !== undefined && { shuffleHistories: seed }),
    ...(part !== undefined && { part }),
    ...(shard !== undefined && { shard }),
  };
}
