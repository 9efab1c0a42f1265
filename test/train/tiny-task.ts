/** A tiny model and a task of chains for tests of the loop. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { parseShape } from '../../lib/lm/config.js';
import { chain } from '../../lib/lm/forest.js';
import type { LanguageModel } from '../../lib/lm/language-model.js';
import { type TextTokenizer, wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { randomWeights } from '../../lib/lm/weights.js';
import { dropoutFrom } from '../../lib/ops/dropout.js';
import { RunFolder } from '../../lib/runs/run-folder.js';
import { Random } from '../../lib/support/random.js';
import { cutInto } from '../../lib/tasks/examples.js';
import { forestLoss, forestLogProbs } from '../../lib/train/loop/forest-loss.js';
import type { MicroBatch } from '../../lib/train/loop/gradients.js';
import type { LoopOptions, TrainReport } from '../../lib/train/loop/loop-options.js';
import { train } from '../../lib/train/loop/train.js';
import type { Task } from '../../lib/train/loop/task.js';

export interface Text {
  tokens: number[];
  /** How many of the last tokens are trained. */
  answer: number;
}

/** Mean negative log-likelihood of the answers, in parts of `micro` texts. */
export function textParts(
  model: LanguageModel,
  texts: readonly Text[],
  micro: number,
  random: Random,
  rate = 0,
): MicroBatch[] {
  const all = texts.reduce((sum, { answer }) => sum + answer, 0);
  return cutInto(texts, micro).map((of) => {
    const trees = of.map(({ tokens }) => chain(tokens.slice(0, -1)));
    const targets = of.flatMap(({ tokens, answer }, tree) =>
      Array.from({ length: answer }, (_, i) => {
        const node = tokens.length - 1 - answer + i;
        return { tree, node, token: tokens[node + 1]! };
      }),
    );
    const scorer = forestLogProbs(model.config, trees, targets);
    return forestLoss(model, scorer, (logProbs) => tf.mul(tf.sum(logProbs), -1 / all), {
      dropout: dropoutFrom(random, rate),
    });
  });
}

export const tokenizer: TextTokenizer = wordTokenizer(['a'], [['<a_0>']]);

export function tinyModel(): LanguageModel {
  const config = parseShape('qwen2:32x1', 20, 0);
  return { config, weights: randomWeights(config, 1) };
}

export interface TinyOptions extends Partial<LoopOptions> {
  /** Figure of each validation in turn; then, and by default, the negative loss. */
  figures?: number[];
  /** Loss that is not a number from this update on. */
  nanAt?: number;
  /** Names of the weights that are trained; default all. */
  trainable?: ReadonlySet<string>;
}

/** Eight batches of four random texts an epoch, with dropout, validated every third update. */
export function tinyTask(model: LanguageModel, { figures = [], nanAt }: TinyOptions = {}): Task<Text[]> {
  const random = new Random(3);
  const texts = Array.from({ length: 32 }, () => ({
    tokens: Array.from({ length: 3 + random.int(6) }, () => random.int(20)),
    answer: 2,
  }));
  let [updates, validations] = [0, 0];
  return {
    name: 'sft',
    batches: (epoch) => cutInto(new Random(epoch).shuffle([...texts]), 4),
    objective(batch, random) {
      const parts = textParts(model, batch, 4, random, 0.2);
      const [part] = parts as [MicroBatch];
      const { loss } = part;
      if (++updates === nanAt) part.loss = () => tf.mul(loss(), NaN);
      return { microBatches: parts };
    },
    async validate() {
      const [part] = textParts(model, texts.slice(0, 8), 8, random) as [MicroBatch];
      const loss = tf.tidy(() => part.loss().dataSync()[0]!);
      part.dispose();
      return { figure: figures[validations++] ?? -loss, loss };
    },
  };
}

export const newFolder = (): string => join(mkdtempSync(join(tmpdir(), 'sidlab-loop-')), 'run');

export async function trainTiny(folder: string, options: TinyOptions = {}): Promise<TrainReport> {
  const { trainable, keep = 1 } = options;
  const model = { ...tinyModel(), ...(trainable && { trainable }) };
  const run = new RunFolder(folder, { stage: 'test' });
  const report = await train(model, tokenizer, tinyTask(model, options), run, {
    ...{ epochs: 2, learningRate: 1e-2, schedule: 'cosine', evalSteps: 3, evalStart: false, bestMetric: 'figure' },
    ...{ patience: 0, seed: 7 },
    ...options,
    keep,
  });
  run.finish({ report }, keep > 1 ? keep : 0);
  return report;
}
