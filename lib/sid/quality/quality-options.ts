/** The options of `sid quality`. */
import { DATA_OPTIONS, SEED_OPTIONS } from '../../data/data-options.js';
import { choice, custom, path } from '../../options/kinds.js';
import { defineOptions, type OptionsOf } from '../../options/schema.js';
import type { QualityLimits } from './quality-gate.js';

/** Declares the options of `sid quality`. */
export const QUALITY_OPTIONS = defineOptions('sid quality', {
  index: path('index file; what sid wrote beside it says how errors are computed', { required: true }),
  embeddings: path('.npy file of the vectors that the SIDs were made from', { otherwise: 'none' }),
  data: path("data folder: categories, and the test rows' targets", { otherwise: 'none' }),
  dataset: DATA_OPTIONS.dataset,
  category: choice(['categories', 'brand'], "field of the item file that is an item's category", {
    otherwise: 'categories; brand where no item has any',
  }),
  limits: custom<QualityLimits | string>('limits, or a JSON file of them; the command fails where one is not kept', {
    otherwise: 'none',
    mismatch: (value) =>
      typeof value === 'string' || (typeof value === 'object' && value !== null && !Array.isArray(value))
        ? undefined
        : 'a file, or an object of limits',
    schema: { type: ['string', 'object'] },
    path: 'always',
  }),
  out: path('folder of report and figures', { otherwise: 'that of the index' }),
  ...SEED_OPTIONS,
});

/** Options of `sidQualityStage`. */
export interface SidQualityStageOptions extends OptionsOf<typeof QUALITY_OPTIONS> {}
