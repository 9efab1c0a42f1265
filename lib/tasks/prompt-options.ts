/** Options of how prompts are made, shared by training, evaluation and generation. */
import { SID_TOKENS } from '../lm/choices.js';
import { boolean, choice, integer, text } from '../options/kinds.js';
import type { Options } from '../options/option.js';

/** Declares how prompts are made: options of `sft`, `evaluate` and `generate`. */
export const PROMPT_OPTIONS = {
  templates: text("JSON file of templates, added to the kit's own", { otherwise: "none, or those of the model's run" }),
  cutoffLen: integer('tokens of a prompt at most; a longer one loses its oldest items', {
    otherwise: "512, or as in the model's run",
  }),
  chatTemplate: boolean("wrap prompts in the chat template of the model's folder", {
    otherwise: "no, or as in the model's run",
  }),
  sidTokens: choice(SID_TOKENS, 'SIDs in tokens of their own (new), or spelled in the ones there are (subwords)', {
    otherwise: "new, or as in the model's run",
  }),
} satisfies Options;
