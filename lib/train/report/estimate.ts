/**
 * What a run will take, before it begins: parameters, tokens, peak memory, time.
 *
 * Memory and time of the gradient are not computed from a formula but measured on a few examples and stretched to the
 * run's own parts, so that layer checkpointing, frozen weights, adapters and fused operations count as what they are.
 * The optimizer's share is known from the sizes of what is trained. Not counted: validation and generation.
 */
import { performance } from 'node:perf_hooks';
import * as tf from '@tensorflow/tfjs';
import { trainableWeights } from '../../lm/language-model.js';
import { type LanguageModel } from '../../lm/language-model.js';
import type { Weights } from '../../lm/weights.js';
import { hasBfloat16, isBfloat16 } from '../../ops/bfloat16.js';
import { halfOf } from '../../ops/half-copies.js';
import { hasFused } from '../../ops/fused.js';
import { orthogonalize } from '../../ops/muon.js';
import { InputError } from '../../support/errors.js';
import { duration } from '../../support/progress.js';
import { Random } from '../../support/random.js';
import { batchGradients, type MicroBatch } from '../loop/gradients.js';
import { planSteps, type StepPlanOptions } from '../loop/step-plan.js';
import type { BatchSizes, Task } from '../loop/task.js';
import type { OptimizerName } from '../choices.js';
import { liveBytes } from './peak-memory.js';
import { largest, smallest } from '../../support/extremes.js';

/** What a run would take. */
export interface RunEstimate {
  /** Numbers in the weights. */
  parameters: number;
  /** Those that are trained. */
  trainable: number;
  /** Updates. */
  steps: number;
  /** Passes over the examples. */
  epochs: number;
  /** Tokens through the model in the first epoch. */
  tokensPerEpoch: number;
  /** Through the model, over all epochs. */
  tokens: number;
  /** Most tokens that go through the model at once. */
  largestPart: number;
  /** Bytes at the peak beyond what the process holds before the first step. */
  memory: number;
  /** Bytes that the machine can still give; infinite where tensors lie on a GPU, whose memory is not known here. */
  freeBytes: number;
  /** Bytes of the peak that do not depend on the tokens at once. */
  fixedBytes: number;
  /** Of all updates; validation comes on top. */
  seconds: number;
}

/** Options of `estimateRun`. */
export interface EstimateOptions extends StepPlanOptions {
  /** Default `adamw`. */
  optimizer?: OptimizerName;
  /** Above 0 there is one more copy of what is trained. Default 0. */
  averageDecay?: number;
  /** Processes between which the optimizer's state is split. Default 1. */
  shards?: number;
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
  outline: (batch: Batch) => BatchSizes<Batch>,
  options: EstimateOptions,
): RunEstimate {
  const learns = trainableWeights(model);
  const trainable = sizeOf(learns);
  const free = freeMemory();
  const { optimizer = 'adamw', averageDecay = 0, shards = 1 } = options;
  const average = averageDecay > 0 ? 4 * trainable : 0;
  const state = stateBytes(learns, optimizer) / shards + average + copyBytes(model);
  if (state + 4 * trainable > free) {
    throw new InputError(`${task.name}: ${tooLarge(state + 4 * trainable, free)}; ${FEWER}`);
  }
  const { total } = planSteps((epoch) => task.batches(epoch).length, options);
  const batches = task.batches(0).map((batch) => outline(batch));
  const parts = batches.flatMap(({ tokens: sizes }) => sizes);
  const tokensPerEpoch = sum(parts);
  const largestPart = largest(parts);
  const several = batches.some(({ tokens: sizes }) => sizes.length > 1);
  const fullest = batches.find(({ tokens: sizes }) => sizes.includes(largestPart))!;
  if (copyBytes(model) > 0)
    model.weights.forEach((weight) => weight.rank === 2 && halfOf(weight as tf.Tensor as tf.Tensor2D));
  const { bytes, seconds } = probe(model, task, outline, fullest);
  const gradient = (several ? 4 * trainable : 0) + bytes(largestPart); // the parts' sum beside the last one's
  const update = 4 * trainable + scratchBytes(learns);
  const steps = total / batches.length; // epochs' worth
  return {
    ...{
      parameters: sizeOf(model.weights),
      trainable,
      steps: total,
      epochs: options.epochs,
      tokensPerEpoch,
      largestPart,
    },
    tokens: Math.round(tokensPerEpoch * steps),
    memory: state + HEAP * Math.max(gradient, update),
    ...{ freeBytes: free, fixedBytes: state + HEAP * Math.max((several ? 4 * trainable : 0) + bytes(0), update) },
    seconds: steps * (sum(parts.map((size) => seconds(size))) + batches.length * updateSeconds(learns, optimizer)),
  };
}

/** @throws InputError if the run cannot fit: what it needs, what there is, and what would make it fit */
export function refuseIfTooLarge(name: string, estimate: RunEstimate): void {
  const { memory, freeBytes: free, fixedBytes: fixed, largestPart } = estimate;
  if (memory <= free) return;
  const budget = Math.floor((largestPart * (0.9 * free - fixed)) / (memory - fixed));
  const mend = budget >= 64 ? `--token-budget ${budget} would fit` : FEWER;
  throw new InputError(`${name}: ${tooLarge(memory, free)}; ${mend}`);
}

/** The estimate in a sentence or two. */
export function estimateText(name: string, estimate: RunEstimate): string {
  const {
    parameters,
    trainable,
    steps,
    epochs,
    tokensPerEpoch,
    tokens,
    largestPart,
    memory,
    freeBytes: free,
    seconds,
  } = estimate;
  const learning = trainable === parameters ? 'all of them trained' : `${count(trainable)} trained`;
  const room = Number.isFinite(free) ? ` (${gib(free)} free)` : '';
  return (
    `${name}: ${count(parameters)} parameters, ${learning}; ${steps} updates in ${epochs} epochs of ${count(tokensPerEpoch)} tokens, ` +
    `${count(tokens)} in all, at most ${count(largestPart)} at once; about ${gib(memory)} more memory${room}, ` +
    `about ${duration(seconds)} and validation`
  );
}

const FEWER = '--lora or --freeze trains fewer weights, --model a smaller one';

function tooLarge(needs: number, free: number): string {
  return `needs about ${gib(needs)} more memory, ${gib(free)} are free`;
}

interface Measured {
  tokens: number;
  timeline: number[];
  seconds: number;
}

interface Probe {
  /** Bytes at the peak of a gradient of so many tokens. */
  bytes(tokens: number): number;
  seconds(tokens: number): number;
}

/** What tensors that come and go leave unused between them: measured by `npm run bench -- train-estimate`. */
const HEAP = 1.5;

/** What a longer measurement says of the time is worth waiting for, seconds. */
const PATIENCE = 1;

/**
 * Gradients of ever twice as many examples of a batch, from a hundred tokens to half its largest part, as long as they
 * are quick; the last two are stretched.
 *
 * Memory is stretched moment by moment: weights' gradients are in memory at other times than activations, and which of
 * the two makes the peak changes with the tokens. A peak of few tokens stretched by itself would say too little.
 */
function probe<Batch>(
  model: LanguageModel,
  task: Task<Batch>,
  outline: (batch: Batch) => BatchSizes<Batch>,
  { tokens: sizes, examples, first }: BatchSizes<Batch>,
): Probe {
  const each = sum(sizes) / examples;
  const most = Math.max(2, Math.floor(largest(sizes) / each));
  const measure = (count: number): Measured => {
    const batch = first(Math.min(count, examples));
    const start = performance.now();
    const { timeline } = liveBytes(() => {
      const { gradients } = batchGradients(model, probeParts(task, batch));
      tf.dispose([...gradients.values()]);
    });
    return { tokens: sum(outline(batch).tokens), timeline, seconds: (performance.now() - start) / 1000 };
  };
  let count = Math.max(1, Math.min(Math.round(PROBE / each), most >> 1));
  const cold = measure(count);
  let from = cold.seconds < 2 * PATIENCE ? measure(count) : cold; // the first call of a kernel takes longer
  let to = measure((count *= 2));
  while (to.seconds < PATIENCE && 4 * count <= most) [from, to] = [to, measure((count *= 2))];
  return stretch(from, to);
}

function probeParts<Batch>(task: Task<Batch>, batch: Batch): Iterable<MicroBatch> {
  const random = new Random('probe');
  if (task.probe) return task.probe(batch, random);
  const objective = task.objective(batch, random, 1);
  if (objective instanceof Promise) throw new Error(`estimateRun: expected ${task.name} to have a probe`);
  return objective.microBatches;
}

function stretch(from: Measured, to: Measured): Probe {
  const line = (x0: number, x1: number, tokens: number): number => {
    const slope = to.tokens > from.tokens ? (x1 - x0) / (to.tokens - from.tokens) : x1 / to.tokens;
    return x1 + slope * (tokens - to.tokens);
  };
  // Where trees fall into other blocks the two differ by a few operations: the same share of the way, then.
  const before = (i: number): number => from.timeline[Math.floor((i * from.timeline.length) / to.timeline.length)]!;
  return {
    bytes: (tokens) => to.timeline.reduce((most, bytes, i) => Math.max(most, line(before(i), bytes, tokens)), 0),
    // Two short measurements of a clock may even fall: time goes with the tokens then.
    seconds: (tokens) =>
      from.seconds < to.seconds
        ? Math.max(line(from.seconds, to.seconds, tokens), 0.5 * to.seconds * (tokens / to.tokens))
        : to.seconds * (tokens / to.tokens),
  };
}

/** What the optimizer keeps: two moments (AdamW), or one for the matrices of the layers (Muon). */
function stateBytes(learns: Weights, optimizer: OptimizerName): number {
  return sum(
    [...learns].map(([name, { size }]) => 4 * size * (optimizer === 'muon' && /\.layers\./.test(name) ? 1 : 2)),
  );
}

/** Matrices rounded to bfloat16 beside those that are trained; frozen ones may be in it alone. */
function copyBytes({ config, weights }: LanguageModel): number {
  if (config.precision !== 'bfloat16') return 0;
  const rounded = [...weights.values()].filter((weight) => weight.rank === 2 && !isBfloat16(weight));
  return sum(rounded.map(({ size }) => (hasBfloat16() ? 2 : 4) * size));
}

/** What an update holds for a moment: gradients end to end, and AdamW's steps in between for its largest parameter. */
function scratchBytes(learns: Weights): number {
  const between = hasFused('SidlabAdamW') ? 1 : 14;
  return (
    4 * sizeOf(learns) +
    4 *
      between *
      largest(
        [...learns.values()].map(({ size }) => size),
        1 << 20,
      )
  );
}

/** AdamW reads and writes every number some seven times, at about 8 GB/s; of Muon one matrix a shape is turned. */
function updateSeconds(learns: Weights, optimizer: OptimizerName): number {
  const adamw = (7 * 4 * sizeOf(learns)) / 8e9;
  if (optimizer !== 'muon') return adamw;
  const turned = [...learns].filter(([name, { rank }]) => rank === 2 && /\.layers\./.test(name));
  const seconds = new Map<string, number>();
  for (const [, weight] of turned) {
    const shape = weight.shape.join();
    if (!seconds.has(shape)) seconds.set(shape, orthogonaliseSeconds(weight as tf.Tensor as tf.Tensor2D));
  }
  return adamw + sum(turned.map(([, { shape }]) => seconds.get(shape.join())!));
}

function orthogonaliseSeconds(matrix: tf.Tensor2D): number {
  const seconds = [0, 1].map(() => {
    const start = performance.now();
    tf.tidy(() => void orthogonalize(matrix).slice([0, 0], [1, 1]).dataSync()); // one element waits for all
    return (performance.now() - start) / 1000;
  });
  return smallest(seconds); // the first call of a kernel takes longer
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
