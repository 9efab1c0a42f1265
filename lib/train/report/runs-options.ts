/** The options of `runs`. */
import { choice, path, text } from '../../options/kinds.js';
import { defineOptions, type OptionsOf } from '../../options/schema.js';

/** Declares the options of `runs`. */
export const RUNS_OPTIONS = defineOptions('runs', {
  data: path('folder whose runs are compared, at whatever depth', { required: true }),
  out: path('folder of the figure', { otherwise: 'figures in that folder' }),
  metric: text('validation metric of the curves, such as HR@10', { otherwise: 'one that the most runs have' }),
  x: choice(['step', 'tokens', 'seconds'], 'horizontal axis of the curves', { default: 'step' }),
});

/** Options of `runs`. */
export interface RunsOptions extends OptionsOf<typeof RUNS_OPTIONS> {}
