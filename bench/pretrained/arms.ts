/**
 * What is trained by `pretrained-quality`: a pretrained model against the same shape from random weights, and one thing
 * changed at a time. An arm's time is said in minutes of two quiet cores of an Intel Xeon (190 GFLOP/s of float32); its
 * epochs follow from what an epoch of its kind takes there, so that the same call trains the same updates on any machine.
 */
import type { SftOptions } from 'sidlab';

/** What an epoch of Industrial's 53,000 tokens takes, by what is trained. */
const EPOCH_MINUTES = { full: 6, lora: 3.5, rows: 3.5, small: 0.3 };

export interface Arm {
  name: string;
  /** Where it starts: the weights, their shape alone, the kit's default model, or where another arm ended. */
  from: 'pretrained' | 'random' | 'small' | { arm: string };
  kind: keyof typeof EPOCH_MINUTES;
  /** Epochs of the arm against what its minutes give: of a mix an epoch is longer, of row mode too. */
  share?: number;
  /** Minutes as a share of those that are asked for. Default 1. */
  part?: number;
  options?: Partial<SftOptions>;
  /** What changed, in a line. */
  what: string;
}

/**
 * Of all arms. Validated once, at the end: the loss of all validation rows and the ranking of a hundred take as long as an
 * epoch of adapters, and the learning rate has fallen to nothing by then. The precision is what is faster on the machine;
 * `precision-quality` compares what is learned in either.
 */
const SHARED = {
  ...{ batchSize: 16, learningRate: 5e-4, warmupSteps: 30, dropout: 0.1, weightDecay: 0.01 },
  ...{ validRows: 100, precision: 'auto' },
} as const satisfies Partial<SftOptions>;

const LORA = { lora: { rank: 32, alpha: 64, dropout: 0, modules: [] }, freeze: 'all-but-new-rows', learningRate: 1e-3 } as const; // prettier-ignore

/** The reference's tasks, of the items' texts so many that an epoch of the mix has about three times the tokens. */
const MIX = 'sids:chain,title2sid:n=800,sid2title:n=800,titles2sid:n=200,titles2title:n=200';

/** In the order in which they run, the most telling first. */
export const ARMS: readonly Arm[] = [
  { name: 'full', from: 'pretrained', kind: 'full', what: 'pretrained, everything trained' },
  { name: 'random', from: 'random', kind: 'full', what: 'the same shape from random weights' },
  { name: 'lora', from: 'pretrained', kind: 'lora', options: LORA, what: 'as full, but adapters and new rows alone' },
  { name: 'title', from: 'pretrained', kind: 'full', options: { init: 'title' }, what: 'as full, new rows from titles' },
  { name: 'alike', from: 'pretrained', kind: 'full', options: { initNoise: 3.2e-5 }, what: 'as full, new rows all alike, as transformers makes them' },
  { name: 'mix', from: 'pretrained', kind: 'full', share: 0.3, options: { tasks: MIX }, what: 'as full, tasks of text beside the SIDs' },
  { name: 'lora-mix', from: 'pretrained', kind: 'lora', share: 0.3, options: { ...LORA, tasks: MIX }, what: 'as mix, but adapters and new rows alone' },
  { name: 'row', from: 'pretrained', kind: 'full', share: 0.25, options: { mode: 'row' }, what: 'as full, loss at the answer of each row' },
  { name: 'rows', from: 'pretrained', kind: 'rows', part: 0.5, options: { freeze: 'all-but-new-rows', learningRate: 2e-3, dropout: 0 }, what: 'new rows alone without dropout, half of the time' },
  { name: 'staged', from: { arm: 'rows' }, kind: 'full', part: 0.5, what: 'rows, then everything for the other half' },
  { name: 'small', from: 'small', kind: 'small', what: 'qwen2:128x4, the kit’s defaults' },
  { name: 'small-mix', from: 'small', kind: 'small', options: { tasks: MIX }, what: 'as small, tasks of text beside the SIDs' },
]; // prettier-ignore

/** The options of an arm's run. @param minutes of two quiet cores */
export function optionsOf({ from, kind, share = 1, part = 1, options }: Arm, minutes: number): Partial<SftOptions> {
  if (from === 'small') return { ...options, ...(options?.tasks && { evalEpochs: 5 }) };
  const epochs = Math.round(((minutes * part * share) / EPOCH_MINUTES[kind]) * 100) / 100;
  return { ...SHARED, epochs, evalEpochs: epochs, ...options };
}
