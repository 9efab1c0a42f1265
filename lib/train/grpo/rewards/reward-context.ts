/** What a reward is given and what it gives: the one type that rewards of the kit and of a notebook cell share. */
import type { Counts } from '../../../data/counts.js';
import type { Item, Row } from '../../../data/dataset.js';
import type { SidIndex } from '../../../data/sid-index.js';
import type { Scorer } from '../../../evaluate/scorer.js';
import type { Embed } from '../../../evaluate/text/cosine.js';
import type { Vectors } from '../../../files/npy.js';

/** What a reward is given: the completions of one row, best first, G of them, and what they answer. */
export interface RewardContext {
  /** Item id of each completion, -1 where a free text is no item's [G]. Items that share a text follow one another. */
  items: readonly number[];
  /** Item id that the row asks for, or of a task of items the item. */
  target: number;
  /** The catalogue's texts, index = item id: `texts[target].categories`. Absent where the data set has no items. */
  texts?: readonly Item[];
  /** Text of each completion [G]. */
  answers?: readonly string[];
  /** Text of the right answer. */
  expected?: string;
  /** Token ids of each completion [G][...]; items that share a SID have the same ones. */
  tokens?: readonly (readonly number[])[];
  /** Token ids of the right answer. */
  expectedTokens?: readonly number[];
  /** Sum of log-probabilities of each completion's tokens [G]; absent in free rollouts. */
  scores?: readonly number[];
  /** Codes of every item's SID, index = item id. */
  index?: SidIndex;
  /** Vectors of the items, row = item id; where `embeddings` names a file. */
  vectors?: Vectors;
  /** What the training rows were counted to, where a reward of the kit reads it. */
  counts?: Counts;
  /** Another recommender, where one was given. */
  scorer?: Scorer;
  /** What it says of the items that are one, where it was asked about all groups at once. */
  scored?: ArrayLike<number>;
  /** An encoder of texts, where one was given. */
  embed?: Embed;
  /** Name of the task. */
  task?: string;
  /** The training row; of a task of items without user and history. */
  row: Row;
  /** The prompt's text, as the tokenizer decodes it. */
  prompt: string;
}

/** One finite number a completion [G], or one a token of each completion [G][...]. */
export type Rewards = readonly number[] | readonly (readonly number[])[];

/** @returns one finite number a completion in their order, or one a token of each; now or later */
export type Reward = (context: RewardContext) => Rewards | Promise<Rewards>;
