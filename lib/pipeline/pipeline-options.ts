/** What a configuration may hold: the options of every stage that its user decides, under the stage's name. */
import { DETECTOR_OPTIONS } from '../badcase/badcase-options.js';
import { BASELINE_NAMES, QUICK_BASELINES } from '../baselines/baselines.js';
import { SASREC_OPTIONS } from '../baselines/sequence/architectures.js';
import { ENRICH_OPTIONS } from '../data/enrich/enrich-options.js';
import { FILTER_OPTIONS } from '../data/filter/filter-options.js';
import { IMPORT_CONVERTED_OPTIONS } from '../data/import-options.js';
import { JOIN_OPTIONS } from '../data/join/join-options.js';
import { SAMPLE_OPTIONS } from '../data/sample/sample-options.js';
import { EMBED_OPTIONS } from '../embed/embed-options.js';
import { RANK_OPTIONS, RANK_RULES } from '../evaluate/evaluate-options.js';
import { jsonSchema, omitOptions } from '../options/derive.js';
import { boolean, integer, path, text, words } from '../options/kinds.js';
import type { Option, Options } from '../options/option.js';
import { allOptions, type AnySchema, defineOptions } from '../options/schema.js';
import { SID_OPTIONS } from '../sid/sid-options.js';
import { GRPO_OPTIONS } from '../train/grpo/grpo-options.js';
import { SFT_OPTIONS } from '../train/sft/sft-options.js';
import { COMPARE_STAGE, STRATEGIES_STAGE } from './loop-options.js';

/** Of the pipeline itself. */
export const PIPELINE_OPTIONS = {
  out: path('data folder; runs go to OUT/runs/RUN', { required: true }),
  dataset: text('NAME of the files', { required: true }),
  figures: path('folder of the figures', { otherwise: 'OUT/figures' }),
  run: text('name of the runs: other options need another one', { default: 'main' }),
  baselines: words(BASELINE_NAMES, 'baselines of the results table', { default: QUICK_BASELINES }),
  rounds: integer(
    'rounds: each after the first is trained with strategies for the bad cases of the one before, in OUT/round-2, ...',
    {
      default: 1,
    },
  ),
  again: boolean('redo every stage and run; old runs are kept beside the new ones'),
} satisfies Options;

/** Where a stage takes what another one made, the pipeline says so; `sid.embeddings` and `sft.index` name one's own. */
export const STAGE_SCHEMAS = {
  sample: SAMPLE_OPTIONS,
  filter: defineOptions('filter', {
    ...omitOptions(FILTER_OPTIONS.options, 'out', 'dataset'),
    reviews: optional(FILTER_OPTIONS.options.reviews),
  }),
  import: { ...IMPORT_CONVERTED_OPTIONS, options: omitOptions(IMPORT_CONVERTED_OPTIONS.options, 'out', 'dataset') },
  join: { ...JOIN_OPTIONS, options: omitOptions(JOIN_OPTIONS.options, 'out', 'dataset') },
  enrich: { ...ENRICH_OPTIONS, options: omitOptions(ENRICH_OPTIONS.options, 'data', 'dataset', 'out') },
  embed: { ...EMBED_OPTIONS, options: omitOptions(EMBED_OPTIONS.options, 'data', 'dataset') },
  sid: {
    ...SID_OPTIONS,
    options: { ...SID_OPTIONS.options, embeddings: optional(SID_OPTIONS.options.embeddings) },
  },
  sasrec: defineOptions('sasrec', omitOptions(SASREC_OPTIONS, 'run', 'again', 'onLog')),
  sft: {
    ...SFT_OPTIONS,
    options: { ...omitOptions(SFT_OPTIONS.options, 'data', 'dataset', 'run', 'again') },
  },
  grpo: {
    ...GRPO_OPTIONS,
    options: omitOptions(GRPO_OPTIONS.options, 'data', 'dataset', 'index', 'run', 'model', 'again'),
  },
  evaluate: defineOptions('evaluate', RANK_OPTIONS, RANK_RULES),
  badcase: defineOptions('badcase', DETECTOR_OPTIONS),
  strategies: STRATEGIES_STAGE,
  compare: COMPARE_STAGE,
} satisfies Record<string, AnySchema>;

/** A stage that a configuration may name. */
export type StageName = keyof typeof STAGE_SCHEMAS;
/** The stages that a configuration may name, in the order in which they run. */
export const STAGE_NAMES = Object.keys(STAGE_SCHEMAS) as StageName[];

function optional<T>(option: Option<T>): Option<T, 'optional'> {
  return { ...option, presence: 'optional' };
}

/** JSON Schema of a configuration file (`schema.json`), for editors that complete it. */
export function pipelineSchema(): Record<string, unknown> {
  const { properties, required } = jsonSchema(PIPELINE_OPTIONS) as { properties: object; required: string[] };
  const stages = STAGE_NAMES.map((name) => [name, jsonSchema(allOptions(STAGE_SCHEMAS[name]))] as const);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'SIDLab pipeline',
    type: 'object',
    properties: { $schema: { type: 'string' }, ...properties, ...Object.fromEntries(stages) },
    required,
    additionalProperties: false,
  };
}
