/**
 * A small model (width 128, 4 layers, prompts of SIDs alone), one epoch over Industrial's training rows in row mode, 32
 * rows a step: ours against the same model in PyTorch (transformers' Qwen2, padded batches, fused AdamW, the faster of its
 * ways) on the same rows in the same order. The same objective in chain mode beside it, as many users a step.
 */
import {
  chainExample,
  chainTexts,
  createRecommender,
  findTemplate,
  loadDataset,
  Random,
  readIndex,
  rowExamples,
  templateWords,
  wordTokenizer,
} from 'sidlab';
import { disposeWeights, parseShape, randomWeights, toHfConfig } from 'sidlab/lm';
import type { Example } from 'sidlab/tasks';
import { industrialShop } from '../industrial-shop.js';
import { askedPrecision, inPrecision, type Precision } from '../our-precision.js';
import { inTurn, peerFolder, type Precise, ratesText, runPeer, type Timed } from '../peer.js';
import type { Row } from '../row.js';
import { fastest, runWays } from './training-peers.js';
import { trainSteps } from './train-steps.js';

const BATCH = 32;
const OPTIONS = { rate: 1e-3, weightDecay: 0.01, clip: 1, tokenBudget: 8192 };

interface Epoch extends Timed {
  loss: number;
  tokens: number;
}

type OurEpoch = Epoch & { precision: Precision };
type Peer = Epoch & Precise & { padded: number };

export async function sftSmall(): Promise<Row[]> {
  const { rows, chains, vocabSize, index, tokenizer } = await examples();
  const config = parseShape('qwen2:128x4', vocabSize, 0);
  const epochIn = async (precision: Precision, batches: Example[][]): Promise<OurEpoch> => {
    const model = { config: { ...config, precision }, weights: randomWeights(config, 42) };
    createRecommender(model, tokenizer, index, 'sids');
    await trainSteps(model, batches.slice(0, 1), OPTIONS);
    const steps = await trainSteps(model, batches, OPTIONS);
    disposeWeights(model.weights);
    const sum = (of: 'seconds' | 'tokens'): number => steps.reduce((total, step) => total + step[of], 0);
    const last = steps.slice(-50);
    return {
      precision,
      seconds: sum('seconds'),
      tokens: sum('tokens'),
      loss: last.reduce((total, { loss }) => total + loss, 0) / last.length,
    };
  };
  const epoch = (batches: Example[][]): Promise<OurEpoch> =>
    inPrecision(askedPrecision(), (precision) => epochIn(precision, batches));
  const batches = inBatches(rows);
  const texts = batches.map((batch) =>
    batch.map(({ tokens, labelPositions, labels }) => textOf(tokens, labelPositions, labels)),
  );
  const job = { config: toHfConfig(config), ...OPTIONS, batches: texts };
  const folder = peerFolder(job);
  const ways = runWays<Peer>('sft_small.py', folder);
  const told = typeof ways !== 'string';
  const way = told ? fastest(ways, ({ seconds }) => seconds).precision! : 'best';
  const { times, ours, peer } = await inTurn(
    3,
    () => epoch(batches),
    () => (told ? runPeer<Peer>('sft_small.py', folder, way) : ways),
  );
  const inChains = await epoch(inBatches(chains));
  const say = ({ loss, tokens }: Epoch): string => `loss ${loss.toFixed(3)}, ${Math.round(tokens / 1000)}k tokens`;
  const note =
    typeof peer === 'string'
      ? peer
      : `${say(ours)}; of PyTorch ${say(peer)}, ${Math.round(peer.padded / 1000)}k padded; ${waysText(ways)}`;
  return [
    {
      name: 'sft-small, row mode',
      ...times,
      floor: null,
      unit: 's an epoch',
      goal: 'at most 1.0 x, the same loss',
      reached: times.ratio !== null && times.ratio <= 1 && told && Math.abs(ours.loss - ways[0].loss) < 0.05,
      precision: ours.precision,
      note,
    },
    {
      name: 'sft-small, chain mode',
      ours: inChains.seconds,
      peer: times.peer,
      ratio: times.peer === null ? null : inChains.seconds / times.peer,
      floor: null,
      unit: 's an epoch',
      goal: 'reported',
      reached: true,
      spread: 0,
      precision: inChains.precision,
      peerPrecision: times.peerPrecision,
      note: say(inChains),
    },
  ];
}

/** Each way's time and loss, and the rates that were measured. */
function waysText(ways: readonly Peer[] | string): string {
  if (typeof ways === 'string') return ways;
  const each = ways.map(
    ({ precision, seconds, loss }) => `${precision} ${seconds.toFixed(1)} s, loss ${loss.toFixed(3)}`,
  );
  return `${each.join(', ')}; ${ratesText(ways[0]!)}`;
}

/** The text whole, and the place of its first label. */
function textOf(tokens: number[], at: number[], target: number[]): { tokens: number[]; from: number } {
  return { tokens: [...tokens, target.at(-1)!], from: at[0]! + 1 };
}

function inBatches(examples: readonly Example[]): Example[][] {
  const order = new Random('sft-small').shuffle([...examples]);
  return Array.from({ length: Math.ceil(order.length / BATCH) }, (_, i) => order.slice(i * BATCH, (i + 1) * BATCH));
}

async function examples() {
  const { data, index: file } = await industrialShop('bench-industrial');
  const dataset = await loadDataset(data);
  const index = readIndex(file, dataset.items.length);
  const tokenizer = wordTokenizer(templateWords(), index);
  const weights = new Map<string, never>();
  const config = parseShape('qwen2:32x1', tokenizer.vocabSize, 0);
  const { render } = createRecommender({ config, weights }, tokenizer, index, 'sids');
  return {
    rows: rowExamples(dataset.train, render),
    chains: chainTexts(dataset.train, findTemplate('sids'), 10).map((text) => chainExample(text, render)),
    vocabSize: tokenizer.vocabSize,
    index,
    tokenizer,
  };
}
