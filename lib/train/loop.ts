/**
 * One training loop, for supervised fine-tuning and for GRPO.
 *
 * What is learnt is a `Task`: batches, an objective for each, and a validation figure. The loop owns steps, rate,
 * optimizer, checkpoints, metric log, the best model, interrupts and resuming: a killed run goes on from its last
 * checkpoint and ends on the same bits as one that was never stopped.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { saveModel, toArrays, trainableWeights, weightsFrom } from '../lm/index.js';
import type { LanguageModel, TextTokenizer } from '../lm/index.js';
import {
  InputError,
  interrupted,
  Random,
  rateFactor,
  readJson,
  readSafetensors,
  startProgress,
  watchInterrupts,
  writeJson,
  writeSafetensors,
} from '../support/index.js';
import type { MetricLine, RandomState, RunFolder, Schedule } from '../support/index.js';
import { Optimizer } from './optimizer.js';
import type { OptimizerOptions } from './optimizer.js';

/** A share of an update: several of them add up to the batch's gradient, whatever the cut. */
export interface Part {
  /** Called once within the gradient; what it needs was made before. The parts' losses add up to the batch's. */
  loss(): tf.Scalar;
  /** Tokens that went through the model. */
  tokens: number;
  dispose(): void;
}

export interface Objective {
  parts: Part[];
  /** Logged beside the loss. */
  metrics?: Record<string, number>;
}

export interface Task<Batch> {
  name: 'sft' | 'grpo';
  /** Batches of an epoch in order; decided by the epoch's number alone. */
  batches(epoch: number): Batch[];
  /** @param random for dropout and sampling; its state is part of a checkpoint */
  objective(batch: Batch, random: Random): Objective;
  validate(): Promise<Record<string, number>>;
}

export interface LoopOptions extends OptimizerOptions {
  epochs: number;
  learningRate: number;
  schedule: Schedule;
  warmupSteps: number;
  /** Validate, keep the best and save a checkpoint every so many steps; also at the end. */
  evalSteps: number;
  /** Validate before the first step too, so that the start can be the best. */
  evalStart: boolean;
  /** Validation figure that decides which model is the best; larger is better. */
  bestMetric: string;
  /** Stop after so many validations without a better one; 0 never stops. */
  patience: number;
  /** Checkpoints kept. */
  keep: number;
  seed: number;
  /** Called after each step and validation, for a plot that draws while training. */
  onLog?: (lines: readonly MetricLine[]) => void;
}

export interface TrainReport {
  steps: number;
  tokens: number;
  seconds: number;
  best: { step: number; metrics: Record<string, number> };
  /** Folder of the best model. */
  model: string;
}

interface State {
  step: number;
  epoch: number;
  /** Batches of the epoch already done. */
  position: number;
  tokens: number;
  seconds: number;
  random: RandomState;
  best?: { step: number; metrics: Record<string, number> };
  /** Validations since the best. */
  stale: number;
}

/**
 * @param model trained in place
 * @throws InputError on a loss that is not finite (the last good checkpoint stays), and on interrupt after saving
 */
export async function train<Batch>(
  model: LanguageModel,
  tokenizer: TextTokenizer,
  task: Task<Batch>,
  run: RunFolder,
  options: LoopOptions,
): Promise<TrainReport> {
  const loop = new Loop(model, tokenizer, task, run, options);
  const release = watchInterrupts();
  try {
    return await loop.run();
  } finally {
    release();
    loop.dispose();
  }
}

class Loop<Batch> {
  private readonly optimizer: Optimizer;
  private readonly random: Random;
  private readonly lines: MetricLine[];
  private state: State;
  private readonly started = performance.now();
  private readonly secondsBefore: number;

  constructor(
    private readonly model: LanguageModel,
    private readonly tokenizer: TextTokenizer,
    private readonly task: Task<Batch>,
    private readonly folder: RunFolder,
    private readonly options: LoopOptions,
  ) {
    this.optimizer = new Optimizer(trainableWeights(model), options);
    this.random = new Random(`${options.seed}/train`);
    this.state = { step: 0, epoch: 0, position: 0, tokens: 0, seconds: 0, random: this.random.save(), stale: 0 };
    this.resume();
    this.secondsBefore = this.state.seconds;
    this.lines = folder.readLog();
  }

  async run(): Promise<TrainReport> {
    const { epochs, evalSteps, evalStart, patience } = this.options;
    const state = this.state;
    const perEpoch = this.task.batches(0).length;
    const total = perEpoch * epochs;
    if (total === 0) throw new InputError(`${this.task.name}: nothing to train on; is the training split empty?`);
    const progress = startProgress(this.task.name, total, 'steps');
    progress.tick(state.step);
    if (evalStart && state.step === 0) await this.validate();
    let stopped = patience > 0 && state.stale >= patience;
    for (; state.epoch < epochs && !stopped; state.epoch++, state.position = 0) {
      const batches = this.task.batches(state.epoch);
      while (state.position < batches.length && !stopped) {
        const line = this.update(batches[state.position]!, total);
        state.position++;
        this.log(line);
        progress.tick(1, `loss ${line.loss!.toFixed(3)}, ${Math.round(state.tokens / this.seconds())} tokens/s`);
        await new Promise(setImmediate); // computing blocks the event loop: let plots draw and interrupts arrive
        if (state.step % evalSteps === 0 || state.step === total) {
          await this.validate();
          stopped = patience > 0 && state.stale >= patience;
        }
        if (interrupted()) this.stopInterrupted();
      }
    }
    progress.end();
    const { step: steps, tokens, best } = state;
    return { steps, tokens, seconds: this.seconds(), best: best!, model: this.folder.modelFolder };
  }

  private update(batch: Batch, total: number): MetricLine {
    const { learningRate, schedule, warmupSteps } = this.options;
    const state = this.state;
    const { parts, metrics = {} } = this.task.objective(batch, this.random);
    const { loss, gradients } = accumulate(this.model, parts);
    const step = state.step + 1;
    const rate = learningRate * rateFactor(schedule, step, warmupSteps, total);
    const norm = Number.isFinite(loss) ? this.optimizer.apply(gradients, step, rate) : NaN;
    tf.dispose([...gradients.values()]);
    if (!Number.isFinite(norm)) {
      throw new InputError(
        `${this.task.name}: the loss or its gradient is not finite at step ${step}; the last good checkpoint stands in ` +
          `${this.folder.folder}; lower --learning-rate`,
      );
    }
    state.step = step;
    state.tokens += parts.reduce((sum, part) => sum + part.tokens, 0);
    return { step, epoch: state.epoch, loss, norm, rate, tokens: state.tokens, seconds: this.seconds(), ...metrics };
  }

  /** Validates, keeps the model if it is the best, saves a checkpoint. */
  private async validate(): Promise<void> {
    const state = this.state;
    const metrics = await this.task.validate();
    this.log({ step: state.step, ...Object.fromEntries(Object.entries(metrics).map(([k, v]) => [`valid ${k}`, v])) });
    const figure = metrics[this.options.bestMetric]!;
    if (!state.best || figure > state.best.metrics[this.options.bestMetric]!) {
      state.best = { step: state.step, metrics };
      state.stale = 0;
      saveModel(this.folder.modelFolder, this.model, { json: this.tokenizer.json });
    } else state.stale++;
    this.save();
  }

  private log(line: MetricLine): void {
    this.lines.push(line);
    this.folder.log(line);
    this.options.onLog?.(this.lines);
  }

  private save(): void {
    const state = { ...this.state, seconds: this.seconds(), random: this.random.save() };
    this.folder.saveCheckpoint(state.step, this.options.keep, (folder) => {
      writeSafetensors(join(folder, 'model.safetensors'), toArrays(this.model.weights));
      writeSafetensors(join(folder, 'optimizer.safetensors'), this.optimizer.save());
      writeJson(join(folder, 'state.json'), state);
    });
  }

  private resume(): void {
    const step = this.folder.checkpoints().at(-1);
    if (step === undefined) {
      this.folder.truncateLog(-1);
      return;
    }
    const folder = this.folder.checkpoint(step);
    const state = readJson<State>(join(folder, 'state.json'));
    const file = join(folder, 'model.safetensors');
    const saved = weightsFrom(readSafetensors(file), this.model.config, file);
    for (const [name, value] of saved) {
      this.model.weights.get(name)!.assign(value);
      value.dispose();
    }
    this.optimizer.restore(readSafetensors(join(folder, 'optimizer.safetensors')));
    this.random.restore(state.random);
    this.state = state;
    this.folder.truncateLog(step);
    if (state.best && !existsSync(this.folder.modelFolder)) throw new InputError(`${this.folder.modelFolder}: lost`);
  }

  private stopInterrupted(): never {
    this.save();
    throw new InputError(
      `${this.task.name}: interrupted at step ${this.state.step}; saved in ${this.folder.folder}, run it again to go on`,
    );
  }

  private seconds(): number {
    return this.secondsBefore + (performance.now() - this.started) / 1000;
  }

  dispose(): void {
    this.optimizer.dispose();
  }
}

/** Loss and gradient of a batch, its parts added up. */
function accumulate(model: LanguageModel, parts: readonly Part[]): { loss: number; gradients: Map<string, tf.Tensor> } {
  const weights = trainableWeights(model);
  const variables = [...weights.values()];
  let loss = 0;
  let sums = new Map<string, tf.Tensor>();
  for (const part of parts) {
    const { value, grads } = tf.variableGrads(() => part.loss(), variables);
    loss += value.dataSync()[0]!;
    value.dispose();
    part.dispose();
    const next = new Map<string, tf.Tensor>();
    for (const [name, variable] of weights) {
      const gradient = grads[variable.name];
      const sum = sums.get(name);
      if (gradient) next.set(name, sum ? tf.add(sum, gradient) : gradient);
      if (gradient && sum) tf.dispose([gradient, sum]);
    }
    sums = next;
  }
  return { loss, gradients: sums };
}
