/** How a model was trained to read its prompts, as its run says: evaluation does the same unless it is told otherwise. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Item } from '../data/dataset.js';
import { readJson } from '../files/files.js';
import { loadChatTemplate } from '../lm/tokenizer/chat-template.js';
import { parseTemplates, TEMPLATES, type Templates } from '../tasks/templates.js';
import type { SidTokens } from '../lm/choices.js';
import type { RecommenderOptions } from './recommender.js';

export interface TrainedWith {
  /** The task that was ranked on validation rows. */
  template?: string;
  /** The kit's templates, with those of the run added. */
  templates: Templates;
  /** Those of the run alone, where a file gave them. */
  own?: Templates;
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
  const own = templates === undefined ? undefined : parseTemplates(templates, file);
  return {
    templates: { ...TEMPLATES, ...own },
    ...(own && { own }),
    ...(typeof template === 'string' && { template }),
    ...(typeof cutoffLen === 'number' && { cutoffLen }),
    ...(chatTemplate === true && { chatTemplate }),
    ...((sidTokens === 'new' || sidTokens === 'subwords') && { sidTokens }),
  };
}

/** A recommender's options for prompts as the model was trained with. @param model folder */
export function promptOptions(run: TrainedWith, model: string, items: readonly Item[]): RecommenderOptions {
  const { templates, cutoffLen, chatTemplate, sidTokens } = run;
  return {
    templates,
    items,
    ...(cutoffLen !== undefined && { cutoffLen }),
    ...(chatTemplate && { chat: loadChatTemplate(model) }),
    ...(sidTokens && { sidTokens }),
  };
}
