/**
 * The baselines that are trained: names, options with each one's own defaults, and where they are built. A new one is a
 * file of its own and an entry here. Nothing heavy is imported until it is trained.
 */
import { choice, integer, numbers } from '../../options/kinds.js';
import type { Architecture } from './architecture.js';
import type { CaserSettings } from './caser.js';
import type { Gru4recSettings } from './gru4rec.js';
import type { HstuSettings } from './hstu.js';
import type { SasrecSettings } from './sasrec.js';
import { SEQUENCE_MODES, sequenceOptions, type SequenceSettings } from './sequence-options.js';

/** Every option of the trained baselines; those of another one than is asked for are refused. */
export interface TrainedOptions
  extends
    Partial<SequenceSettings>,
    Partial<SasrecSettings>,
    Partial<Gru4recSettings>,
    Partial<CaserSettings>,
    Partial<HstuSettings> {}

const WIDTH = integer('numbers in an item vector and in every layer', { default: 64 });

/** Of SASRec, which a pipeline may train for a reward. */
export const SASREC_OPTIONS = {
  ...sequenceOptions({ dropout: 0.5 }),
  width: WIDTH,
  blocks: integer('transformer blocks', { default: 2 }),
  heads: integer('attention heads', { default: 2 }),
  mode: choice(
    SEQUENCE_MODES,
    "row: loss at the target of each row; chain: at every item of a user's sequence, of which a batch has so many",
    { default: 'row', cameLater: true },
  ),
};

/** The architectures, in the order of the results table. */
export const ARCHITECTURES = [
  {
    name: 'sasrec',
    help: 'a causal transformer over the items of the history (Kang & McAuley 2018)',
    options: SASREC_OPTIONS,
    load: async () => (await import('./sasrec.js')).sasrec,
  },
  {
    name: 'gru4rec',
    help: 'a recurrent network over the items of the history (Hidasi et al. 2016)',
    options: {
      ...sequenceOptions({ dropout: 0.3 }),
      width: integer('numbers in an item vector', { default: 64 }),
      hidden: integer('numbers in a recurrent state', { default: 128 }),
      layers: integer('recurrent layers', { default: 1 }),
    },
    load: async () => (await import('./gru4rec.js')).gru4rec,
  },
  {
    name: 'caser',
    help: 'convolutions over the latest items (Tang & Wang 2018)',
    options: {
      ...sequenceOptions({ dropout: 0.5 }),
      width: WIDTH,
      heights: numbers('items that a horizontal filter spans, each of these', { default: [2, 3, 4] }),
      filters: integer('horizontal filters of each height', { default: 16 }),
      vertical: integer('vertical filters', { default: 4 }),
    },
    load: async () => (await import('./caser.js')).caser,
  },
  {
    name: 'hstu',
    help: 'layers of gated, pointwise attention (Zhai et al. 2024)',
    options: {
      ...sequenceOptions({ dropout: 0.5 }),
      width: WIDTH,
      blocks: integer('layers', { default: 2 }),
      heads: integer('attention heads', { default: 2 }),
    },
    load: async () => (await import('./hstu.js')).hstu,
  },
] as const satisfies readonly Architecture[];
