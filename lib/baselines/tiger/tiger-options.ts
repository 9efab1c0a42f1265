/** TIGER's options. */
import { INDEX_OPTIONS } from '../../data/data-options.js';
import { integer, number } from '../../options/kinds.js';
import type { AskedPrecision } from '../../engine/choose-precision.js';
import { PRECISION_OPTIONS } from '../../lm/precision-options.js';
import type { Options } from '../../options/option.js';
import { trainerOptions, type TrainerSettings } from '../sequence/sequence-options.js';
import type { TigerSize } from './tiger-model.js';

/** Declares them; the paper's model has width 128, 4 layers, 6 heads of 64 and feed-forward 1024. */
export const TIGER_OPTIONS = {
  ...trainerOptions({ dropout: 0.2, evalEpochs: 2 }),
  ...INDEX_OPTIONS,
  width: integer('numbers in a token vector and between the layers', { default: 128 }),
  layers: integer('layers of the encoder', { default: 2 }),
  decoderLayers: integer('layers of the decoder', { otherwise: 'as many as the encoder has' }),
  heads: integer('attention heads', { default: 4 }),
  headWidth: integer('numbers in a head', { default: 32 }),
  feedForward: integer('numbers inside a feed-forward layer', { default: 512 }),
  embeddingRate: number("learning rate of the token embeddings, as a multiple of the other weights'", {
    default: 1, // T5's embeddings begin with variance 1, sqrt(width) times its matrices: AdamW moves them slowly
    above: 0,
    cameLater: true,
  }),
  ...PRECISION_OPTIONS,
  validRows: integer('validation rows that are ranked, drawn once by the seed (0: all)', { default: 500, min: 0 }),
} satisfies Options;

/** TIGER's settings, with their defaults. */
export interface TigerSettings extends TrainerSettings, Omit<TigerSize, 'vocabSize'> {
  /** Index file. Default that of the data folder. */
  index?: string;
  /** Learning rate of the token embeddings, as a multiple of the other weights'. */
  embeddingRate: number;
  /** Of the large products. */
  precision: AskedPrecision;
  /** Validation rows that are ranked. */
  validRows: number;
}
