/**
 * What a run will take, before it begins: parameters, tokens, peak memory, time.
 *
 * Memory and time of the gradient are not computed from a formula but measured on a few examples and stretched to the
 * run's own parts, so that layer checkpointing, frozen weights, adapters and fused operations count as what they are.
 * The optimizer's share is known from the sizes of what learns. Not counted: validation and generation.
 */
import { performance } from 'node:perf_hooks';
import * as tf from '@tensorflow/tfjs';
import { trainableWeights } from '../lm/index.js';
import type { LanguageModel, Weights } from '../lm/index.js';
import { duration, InputError, Random } from '../support/index.js';
import { batchGradients } from './gradients.js';
import { liveBytes } from './live-bytes.js';

import type { OptimizerName } from './optimizer.js';
import { planSteps } from './step-plan.js';
import type { StepPlanOptions } from './step-plan.js';
import type { Outline, Task } from './task.js';

export interface RunEstimate {
  parameters: number;
  /** Those that learn. */
  trainable: number;
  /** Updates. */
  steps: number;
  /** Tokens through the model in the first epoch. */
  tokensPerEpoch: number;
  tokens: number;
  /** Most tokens that go through the model at once. */
  largestPart: number;
  /** Bytes at the peak beyond what the process holds before the first step. */
  memory: number;
  /** Bytes that the machine can still give; infinite where tensors lie on a GPU, whose memory is not known here. */
  free: number;
  /** Bytes of the peak that do not depend on the tokens at once. */
  fixed: number;
  /** Of all updates; validation comes on top. */
  seconds: number;
}

export interface EstimateOptions extends StepPlanOptions {
  optimizer?: OptimizerName;
}

/** Tokens of the smaller probe, about. */
const PROBE = 128;

/**
 * @param task whose objective is computed for a few examples and thrown away
 * @param outline the task's
 * @throws InputError if gradients and optimizer alone do not fit into the free memory, before anything is computed
 */
export function estimateRun<Batch>(
  model: LanguageModel,
  task: Task<Batch>,
  outline: (batch: Batch) => Outline<Batch>,
  options: EstimateOptions,
): RunEstimate {
  const learns = trainableWeights(model);
  const trainable = sizeOf(learns);
  const free = freeMemory();
  const state = stateBytes(learns, options.optimizer ?? 'adamw');
  if (state + 4 * trainable > free) {
    throw new InputError(`${task.name}: ${tooLarge(state + 4 * trainable, free)}; ${FEWER}`);
  }
  const { total } = planSteps((epoch) => task.batches(epoch).length, options);
  const batches = task.batches(0).map((batch) => outline(batch));
  const parts = batches.flatMap(({ sizes }) => sizes);
  const tokensPerEpoch = sum(parts);
  const largestPart = Math.max(...parts);
  const several = batches.some(({ sizes }) => sizes.length > 1);
  const fullest = batches.find(({ sizes }) => sizes.includes(largestPart))!;
  const { bytes, seconds } = probe(model, task, outline, fullest);
  const gradient = (several ? 4 * trainable : 0) + bytes.at(largestPart); // the parts' sum beside the last one's
  const update = 4 * trainable + scratchBytes(learns);
  const steps = total / batches.length; // epochs' worth
  return {
    ...{ parameters: sizeOf(model.weights), trainable, steps: total, tokensPerEpoch, largestPart },
    tokens: Math.round(tokensPerEpoch * steps),
    memory: state + Math.max(gradient, update),
    ...{ free, fixed: state + Math.max((several ? 4 * trainable : 0) + bytes.at(0), update) },
    seconds: steps * (sum(parts.map((size) => seconds.at(size))) + batches.length * updateSeconds(trainable)),
  };
}

/** @throws InputError if the run cannot fit: what it needs, what there is, and what would make it fit */
export function refuseIfTooLarge(name: string, estimate: RunEstimate): void {
  const { memory, free, fixed, largestPart } = estimate;
  if (memory <= free) return;
  const budget = Math.floor((largestPart * (0.9 * free - fixed)) / (memory - fixed));
  const mend = budget >= 64 ? `--token-budget ${budget} would fit` : FEWER;
  throw new InputError(`${name}: ${tooLarge(memory, free)}; ${mend}`);
}

/** The estimate in a sentence or two. */
export function estimateText(name: string, estimate: RunEstimate): string {
  const { parameters, trainable, steps, tokensPerEpoch, tokens, largestPart, memory, free, seconds } = estimate;
  const learning = trainable === parameters ? 'all of them learn' : `${count(trainable)} learn`;
  const room = Number.isFinite(free) ? ` (${gib(free)} free)` : '';
  return (
    `${name}: ${count(parameters)} parameters, ${learning}; ${steps} updates, ${count(tokensPerEpoch)} tokens an epoch, ` +
    `${count(tokens)} in all, at most ${count(largestPart)} at once; about ${gib(memory)} more memory${room}, ` +
    `about ${duration(seconds)} and validation`
  );
}

const FEWER = '--lora or --freeze learns fewer weights, --model a smaller one';

function tooLarge(needs: number, free: number): string {
  return `needs about ${gib(needs)} more memory, ${gib(free)} are free`;
}

/** A line through two points, by tokens. */
class Line {
  constructor(
    private readonly from: [tokens: number, value: number],
    private readonly to: [tokens: number, value: number],
  ) {}

  /** Never below zero, never falling: what two short measurements say of a slope is not exact. */
  at(tokens: number): number {
    const [[x0, y0], [x1, y1]] = [this.from, this.to];
    const slope = x1 > x0 ? Math.max(0, (y1 - y0) / (x1 - x0)) : y1 / Math.max(1, x1);
    return Math.max(0, y1 + slope * (tokens - x1));
  }
}

/** Gradients of some and of twice as many examples of a batch, up to a few hundred tokens. */
function probe<Batch>(
  model: LanguageModel,
  task: Task<Batch>,
  outline: (batch: Batch) => Outline<Batch>,
  { sizes, examples, first }: Outline<Batch>,
): { bytes: Line; seconds: Line } {
  const each = sum(sizes) / examples;
  const few = Math.max(1, Math.min(Math.round(PROBE / each), Math.floor(Math.max(...sizes) / each / 2)));
  const measure = (count: number): { tokens: number; bytes: number; seconds: number } => {
    const batch = first(count);
    const start = performance.now();
    const { peak } = liveBytes(() => {
      const { gradients } = batchGradients(model, task.objective(batch, new Random('probe')).parts);
      tf.dispose([...gradients.values()]);
    });
    return { tokens: sum(outline(batch).sizes), bytes: peak, seconds: (performance.now() - start) / 1000 };
  };
  const cold = measure(few);
  const one = cold.seconds < 2 ? measure(few) : cold; // the first call of a kernel takes longer
  const two = measure(Math.min(examples, 2 * few));
  return {
    bytes: new Line([one.tokens, one.bytes], [two.tokens, two.bytes]),
    seconds: new Line([one.tokens, one.seconds], [two.tokens, two.seconds]),
  };
}

/** What the optimizer keeps: two moments (AdamW), or one for the matrices of the layers (Muon). */
function stateBytes(learns: Weights, optimizer: OptimizerName): number {
  return sum(
    [...learns].map(([name, { size }]) => 4 * size * (optimizer === 'muon' && /\.layers\./.test(name) ? 1 : 2)),
  );
}

/** What an update holds for a moment: about five tensors of its largest parameter. */
function scratchBytes(learns: Weights): number {
  return 5 * 4 * Math.max(1 << 20, ...[...learns.values()].map(({ size }) => size));
}

/** An update reads and writes every number some seven times, at about 8 GB/s. */
function updateSeconds(trainable: number): number {
  return (7 * 4 * trainable) / 8e9;
}

/** Bytes that the machine, or the container, can still give. */
export function freeMemory(): number {
  if ((tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true) return Infinity;
  const limit = process.constrainedMemory();
  const ofLimit = limit > 0 && limit < 2 ** 50 ? limit - process.memoryUsage.rss() : Infinity;
  return Math.max(0, Math.min(process.availableMemory(), ofLimit));
}

function sizeOf(weights: Weights): number {
  return sum([...weights.values()].map(({ size }) => size));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toPrecision(2)} GiB`;
}

/** @example count(494_000_000) // '494 M' */
function count(number: number): string {
  if (number < 10_000) return String(Math.round(number));
  const [unit, letter] = number < 1e6 ? [1e3, 'k'] : number < 1e9 ? [1e6, 'M'] : [1e9, 'G'];
  return `${Number((number / Number(unit)).toPrecision(3))} ${letter}`;
}
