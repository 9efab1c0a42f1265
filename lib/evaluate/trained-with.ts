/** How a model was trained to read its prompts, as its run says: evaluation does the same unless it is told otherwise. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseTemplates, TEMPLATES } from '../lm/index.js';
import type { Templates } from '../lm/index.js';
import { readJson } from '../support/index.js';
import type { SidTokens } from './recommender.js';

export interface TrainedWith {
  /** The task that was ranked on validation rows. */
  template?: string;
  /** The kit's templates, with those of the run added. */
  templates: Templates;
  cutoffLen?: number;
  chatTemplate?: boolean;
  sidTokens?: SidTokens;
}

/** @param model folder; a run's own lies beside the run's `config.json` */
export function trainedWith(model: string): TrainedWith {
  const file = join(dirname(model), 'config.json');
  const config = existsSync(file) ? readJson<Record<string, unknown>>(file) : {};
  if (config.stage !== 'sft' && config.stage !== 'grpo') return { templates: TEMPLATES };
  const { template, templates, cutoffLen, chatTemplate, sidTokens } = config;
  return {
    templates: templates === undefined ? TEMPLATES : { ...TEMPLATES, ...parseTemplates(templates, file) },
    ...(typeof template === 'string' && { template }),
    ...(typeof cutoffLen === 'number' && { cutoffLen }),
    ...(chatTemplate === true && { chatTemplate }),
    ...((sidTokens === 'new' || sidTokens === 'subwords') && { sidTokens }),
  };
}
