/** Options of how prompts are made, shared by training, evaluation and generation. */
import { SID_TOKENS } from '../lm/choices.js';
import { boolean, choice, integer, number, path } from '../options/kinds.js';
import type { Options } from '../options/option.js';

/** Declares how prompts are made: options of `sft`, `evaluate` and `generate`. */
export const PROMPT_OPTIONS = {
  templates: path("JSON file of templates, added to the kit's own", { otherwise: "none, or those of the model's run" }),
  cutoffLen: integer('tokens of a prompt at most; a longer one loses its oldest items', {
    otherwise: "512, or as in the model's run",
  }),
  chatTemplate: boolean("wrap prompts in the chat template of the model's folder", {
    otherwise: "no, or as in the model's run",
  }),
  preferences: path('JSON lines {user, user_preference, context: {history_items, target_item}} for {preference}', {
    otherwise: 'a sentence made by rule',
  }),
  heldOutItems: number('share of the items that tasks of items hold out for validation, and again for the test', {
    above: 0,
    below: 0.5,
    otherwise: "0.05, or as in the model's run; GRec: 0.1",
  }),
  sidTokens: choice(SID_TOKENS, 'SIDs in tokens of their own (new), or spelled in the ones there are (subwords)', {
    otherwise: "new, or as in the model's run",
  }),
} satisfies Options;
