/**
 * How a model was trained to read its prompts, as its folder says (`sidlab.json`), or the run that wrote it: evaluation
 * does the same by default.
 */
import type { Item } from '../data/dataset.js';
import { findPromptCard, type PromptCard, type PromptSource } from '../lm/prompt-card.js';
import { loadChatTemplate } from '../lm/tokenizer/chat-template.js';
import type { PromptWords } from '../tasks/prompts.js';
import { parseTemplates, TEMPLATES, type Templates } from '../tasks/templates.js';
import type { SidTokens } from '../lm/choices.js';
import type { RecommenderOptions } from './recommender.js';

/** The prompt of a model's training. */
export interface TrainedWith {
  /** The task that was ranked on validation rows. */
  template?: string;
  /** The kit's templates, with those that the model was trained with added or in their place. */
  templates: Templates;
  /** Those that are not the kit's own. */
  own?: Templates;
  /** Tokens of a prompt at most. */
  cutoffLen?: number;
  /** Present where prompts are wrapped in the chat template of the model's folder. */
  chatTemplate?: boolean;
  /** How SIDs are written. */
  sidTokens?: SidTokens;
  /** Share of the items that tasks of items held out for validation, and as many for the test. */
  heldOutItems?: number;
  /** Where it was found: in the model's folder, in the run's `config.json` beside it, or nowhere. */
  source: PromptSource;
  /** The file that says so. */
  file?: string;
}

/**
 * @param model folder; a run's own lies beside the run's `config.json`, which is read where the folder has no card
 * @throws InputError for a file that is damaged
 */
export function trainedWith(model: string): TrainedWith {
  const { card, source, file } = findPromptCard(model);
  const { template, templates, cutoffLen, chatTemplate, sidTokens, heldOutItems } = card;
  const given = templates === undefined ? {} : parseTemplates(templates, file!);
  const own = Object.fromEntries(
    Object.entries(given).filter(([name, text]) => JSON.stringify(text) !== JSON.stringify(kitTemplate(name))),
  );
  return {
    templates: { ...TEMPLATES, ...given },
    ...(Object.keys(own).length > 0 && { own }),
    ...(template !== undefined && { template }),
    ...(cutoffLen !== undefined && { cutoffLen }),
    ...(chatTemplate === true && { chatTemplate }),
    ...(sidTokens && { sidTokens }),
    ...(heldOutItems !== undefined && { heldOutItems }),
    source,
    ...(file !== undefined && { file }),
  };
}

function kitTemplate(name: string): unknown {
  return Object.hasOwn(TEMPLATES, name) ? TEMPLATES[name] : undefined;
}

/**
 * The card of a model that is trained with these prompts, for `saveModel`.
 * @param tasks names of all tasks that are trained; their templates are written out, so that the card stays right when
 *   the kit's own change
 */
export function promptCard(prompt: Omit<TrainedWith, 'own' | 'source' | 'file'>, tasks: readonly string[]): PromptCard {
  const { template, templates, cutoffLen, chatTemplate = false, sidTokens = 'new', heldOutItems } = prompt;
  return {
    ...(template !== undefined && { template }),
    templates: Object.fromEntries(tasks.map((name) => [name, templates[name]!])),
    ...(cutoffLen !== undefined && { cutoffLen }),
    chatTemplate,
    sidTokens,
    ...(heldOutItems !== undefined && { heldOutItems }),
  };
}

/** A recommender's options for prompts as the model was trained with. @param model folder */
export function promptOptions(
  run: Omit<TrainedWith, 'source' | 'file'>,
  model: string,
  items: readonly Item[],
  words: PromptWords = {},
): RecommenderOptions {
  const { templates, cutoffLen, chatTemplate, sidTokens } = run;
  return {
    templates,
    items,
    ...words,
    ...(cutoffLen !== undefined && { cutoffLen }),
    ...(chatTemplate && { chat: loadChatTemplate(model) }),
    ...(sidTokens && { sidTokens }),
  };
}
