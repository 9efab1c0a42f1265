/** Stages of the language model that a row may mean, and their options. */
import type { Options } from '../options/option.js';
import { GRPO_OPTIONS } from '../train/grpo/grpo-options.js';
import { SFT_OPTIONS } from '../train/sft/sft-options.js';

/** Fine-tuning, or reinforcement learning after it. */
export type TableStage = 'sft' | 'grpo';

/** Options of a stage by name. */
export function stageOptions(stage: TableStage): Options {
  return (stage === 'sft' ? SFT_OPTIONS : GRPO_OPTIONS).options;
}
