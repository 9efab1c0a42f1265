/** Hyperparameters, by what the training curves say: trained too briefly, too long, or RL that made it worse. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CurveFinding } from '../../badcase/report-shape.js';
import { readJson } from '../../files/files.js';
import type { PipelineConfig } from '../../pipeline/config.js';
import { PipelineStages } from '../../pipeline/stages.js';
import { GRPO_OPTIONS } from '../../train/grpo/grpo-options.js';
import { SFT_OPTIONS } from '../../train/sft/sft-options.js';
import { numberOf } from '../config-changes.js';
import type { Changes, Strategy } from '../strategy.js';

/** Epochs, dropout, weight decay; of GRPO the learning rate, beta and G. */
export const HYPERPARAMETER: Strategy = {
  name: 'hyperparameter',
  help: "epochs, dropout, weight decay, GRPO's rate, beta and G, by the training curves",
  modes: ['near miss'],
  propose({ report, config }) {
    const { curves } = report;
    if (curves.length === 0) return 'the report has no training curve: it was made of results without their run';
    const changes: Changes = {};
    const said: string[] = [];
    for (const curve of curves) {
      if (curve.stage === 'grpo' && !config.grpo) continue;
      const own = curve.stage === 'sft' ? sftChanges(curve, config) : grpoChanges(curve, config);
      if (Object.keys(own).length === 0) continue;
      Object.assign(changes, own);
      said.push(`${curve.stage} is ${curve.state} (${curve.metric} ${curve.last.toFixed(4)} at the end, ${curve.best.toFixed(4)} at best)`); // prettier-ignore
    }
    if (said.length === 0) return 'the training curves have settled';
    return { changes, expected: `A better best model of the same data, since ${said.join('; ')}.` };
  },
};

/** Where a configuration says nothing. */
const SFT = SFT_OPTIONS.parse({ data: '.' });
const GRPO = GRPO_OPTIONS.parse({ data: '.', model: '.' });

/** Epochs where nobody says how many: those that the run took, which depend on how many updates an epoch has. */
function epochsOfRun(config: PipelineConfig): number {
  const file = join(new PipelineStages(config).runs, 'sft', 'config.json');
  const { epochs } = existsSync(file) ? readJson<{ epochs?: unknown }>(file) : {};
  return typeof epochs === 'number' ? epochs : EPOCHS;
}

/** Where there is no run to ask either. */
const EPOCHS = 30;

function sftChanges({ state, bestStep, lastStep }: CurveFinding, config: PipelineConfig): Changes {
  const epochs = numberOf(config, 'sft.epochs', epochsOfRun(config));
  switch (state) {
    case 'still improving':
      return { 'sft.epochs': Math.ceil(1.5 * epochs) };
    case 'over-fitted':
      return {
        'sft.epochs': untilBest(epochs, bestStep, lastStep),
        'sft.dropout': rounded(Math.min(0.5, numberOf(config, 'sft.dropout', SFT.dropout) + 0.1)),
        'sft.weightDecay': Math.max(0.02, 2 * numberOf(config, 'sft.weightDecay', SFT.weightDecay)),
      };
    case 'below its start': // is said of RL alone
    case 'settled':
      return {};
    default:
      throw state satisfies never;
  }
}

function grpoChanges({ state, bestStep, lastStep }: CurveFinding, config: PipelineConfig): Changes {
  const epochs = numberOf(config, 'grpo.epochs', GRPO.epochs);
  const rate = numberOf(config, 'grpo.learningRate', GRPO.learningRate);
  const beta = numberOf(config, 'grpo.beta', GRPO.beta);
  switch (state) {
    case 'still improving':
      return { 'grpo.epochs': 2 * epochs };
    case 'over-fitted':
      return { 'grpo.epochs': untilBest(epochs, bestStep, lastStep), 'grpo.learningRate': rounded(rate / 2) };
    case 'below its start':
      return {
        'grpo.learningRate': rounded(rate / 3),
        'grpo.beta': beta === 0 ? 0.01 : rounded(4 * beta),
        ...(config.grpo?.reference === 'none' && { 'grpo.reference': null }),
        'grpo.numGenerations': Math.max(32, numberOf(config, 'grpo.numGenerations', GRPO.numGenerations)),
      };
    case 'settled':
      return {};
    default:
      throw state satisfies never;
  }
}

/** A quarter more than it took to the best model, at most what it was. */
function untilBest(epochs: number, bestStep: number, lastStep: number): number {
  const needed = rounded(1.25 * epochs * (bestStep / Math.max(1, lastStep)));
  return Math.min(epochs, epochs > 1 ? Math.max(1, Math.ceil(needed)) : needed || epochs);
}

/** Three digits, so that a configuration is pleasant to read. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
