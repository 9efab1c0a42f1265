/**
 * An epoch of SASRec and of GRU4Rec over Industrial's training rows, 256 rows an update, cross-entropy over all items:
 * ours as the library trains it against the same model in PyTorch (`peers/sequence.py`), in the faster of its ways, on the
 * same rows in the same order.
 */
import * as tf from '@tensorflow/tfjs';
import { loadDataset, Random } from 'sidlab';
import {
  ARCHITECTURES,
  initialWeights,
  type SequenceExample,
  sequenceExamples,
  sequenceTask,
  type SequenceSettings,
} from 'sidlab/baselines';
import { disposeWeights } from 'sidlab/lm';
import { batchGradients, Optimizer } from 'sidlab/train';
import { meanOf } from '../mean.js';
import { industrialShop } from '../industrial-shop.js';
import { inTurn, peerFolder, type Precise, ratesText, runPeer, type Timed } from '../peer.js';
import type { Row } from '../row.js';
import { fastest, runWays } from './training-peers.js';

const GOALS = { sasrec: 0.7, gru4rec: 0.9 } as const;

interface Epoch extends Timed {
  loss: number;
}

/** @param name of the baseline */
export async function sequenceBench(name: keyof typeof GOALS): Promise<Row[]> {
  const { data } = await industrialShop('bench-industrial');
  const dataset = await loadDataset(data);
  const architecture = ARCHITECTURES.find((one) => one.name === name)!;
  const settings = Object.fromEntries(
    Object.entries(architecture.options).map(([option, { default: value }]) => [option, value]),
  ) as unknown as SequenceSettings & { width: number };
  const longest = Math.max(...dataset.train.map(({ history }) => history.length));
  const size = { items: dataset.items.length, longest };
  const batches = inBatches(sequenceExamples(dataset.train, longest, 'row'), settings.batchSize);
  const epoch = async (): Promise<Epoch> => {
    const model = (await architecture.load())(size, settings as never);
    const weights = initialWeights(model, 42);
    const task = sequenceTask(name, { model, weights }, dataset, settings);
    const { maxGradNorm, weightDecay, learningRate } = settings;
    const optimizer = new Optimizer(weights, { maxGradNorm, weightDecay });
    const random = new Random('dropout');
    const losses: number[] = [];
    const start = performance.now();
    for (const [i, rows] of batches.entries()) {
      const { microBatches } = await task.objective(rows, random, i + 1);
      const { loss, gradients } = batchGradients({ weights }, microBatches);
      optimizer.apply(gradients, i + 1, learningRate);
      tf.dispose([...gradients.values()]);
      losses.push(loss);
      await new Promise(setImmediate);
    }
    const seconds = (performance.now() - start) / 1000;
    optimizer.dispose();
    disposeWeights(weights);
    return { seconds, loss: meanOf(losses.slice(-50)) };
  };
  const examples = batches.map((rows) => rows.map(({ history, targets }) => ({ history, target: targets[0]! })));
  const { onLog: _, ...shape } = settings;
  const folder = peerFolder({ ...shape, ...size, model: name, rate: settings.learningRate, batches: examples });
  const ways = runWays<Epoch & Precise>('sequence.py', folder);
  const told = typeof ways !== 'string';
  const way = told ? fastest(ways, ({ seconds }) => seconds).precision! : 'best';
  const { times, ours, peer } = await inTurn(3, epoch, () =>
    told ? runPeer<Epoch & Precise>('sequence.py', folder, way) : ways,
  );
  const goal = GOALS[name];
  const note =
    typeof peer === 'string'
      ? peer
      : `loss ${ours.loss.toFixed(3)}, of PyTorch ${peer.loss.toFixed(3)}; ${ratesText(peer)}`;
  return [
    {
      ...{ name, ...times, floor: null, unit: 's an epoch', goal: `at most ${goal} x`, precision: 'float32', note },
      reached: times.ratio !== null && times.ratio <= goal,
    },
  ];
}

function inBatches(rows: readonly SequenceExample[], size: number): SequenceExample[][] {
  const order = new Random('sequence').shuffle([...rows]);
  return Array.from({ length: Math.ceil(order.length / size) }, (_, i) => order.slice(i * size, (i + 1) * size));
}
