/** What an architecture of the trained baselines is, for lists that load nothing heavy. */
import type { Options } from '../../options/option.js';
import type { ModelSize, SequenceModel } from './sequence-model.js';

/** A kind of sequence recommender: its name, its options, and how one is built. */
export interface Architecture<N extends string = string> {
  /** What reports and tables call it. */
  readonly name: N;
  /** In one line, with its source. */
  readonly help: string;
  /** Its own options and the defaults of those of training. */
  readonly options: Options;
  /** The function that builds it; settings are the options with their defaults. */
  load(): Promise<(size: ModelSize, settings: never) => SequenceModel>;
}
