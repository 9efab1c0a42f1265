/** The steps of a training run: updates, validations, checkpoints, the log, and how it ends (`train.ts`). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { first, together } from '../../cluster/alone.js';
import { trainableWeights, type TrainableModel } from '../../lm/language-model.js';
import { fromBfloat16, toBfloat16 } from '../../ops/bfloat16.js';
import { checkMappedFiles } from '../../ops/read-tensor.js';
import { type MetricLine, smallerIsBetter } from '../../runs/metric-lines.js';
import { RunFolder, type RunStore } from '../../runs/run-folder.js';
import { InputError, Interrupted } from '../../support/errors.js';
import { interrupted } from '../../support/interrupt.js';
import { writeValidRows } from '../../runs/valid-rows.js';
import { startProgress } from '../../support/progress.js';
import { Random } from '../../support/random.js';
import { lrScale } from '../../support/schedule.js';
import { Optimizer } from '../optim/optimizer.js';
import { type LoopState, readOptimizer, resumeCheckpoint, saveCheckpoint } from './checkpoint.js';
import { batchGradientsInTurns } from './gradients.js';
import type { LoopOptions, TrainReport } from './loop-options.js';
import { planSteps, type StepPlan } from './step-plan.js';
import type { Task } from './task.js';

/** One run, from where its folder stands. */
export class Loop<Batch> {
  private readonly optimizer: Optimizer;
  private readonly random: Random;
  private lines: MetricLine[] = [];
  private readonly plan: StepPlan;
  private state: LoopState;
  private readonly started = performance.now();
  /** Where this process took up the run. */
  private before: Pick<LoopState, 'tokens' | 'seconds'>;
  /** Whether a process of the cluster was asked to stop. */
  private stopAsked = false;
  /** Why this process of a cluster cannot go on; told to the others when all meet next. */
  private failure: unknown;

  constructor(
    private readonly model: TrainableModel,
    private readonly task: Task<Batch>,
    private readonly folder: RunStore,
    private readonly options: LoopOptions & Required<Pick<LoopOptions, 'save'>>,
  ) {
    const { cluster } = options;
    this.plan = planSteps((epoch) => task.batches(epoch).length, options);
    const { shardOptimizer = false, gradientDtype = 'float32' } = options;
    const wire = gradientDtype === 'bfloat16' ? { narrow: toBfloat16, widen: fromBfloat16 } : undefined;
    const sumGradients = cluster && ((gradients: readonly tf.Tensor[]) => cluster.sum(gradients, wire));
    const sharding = shardOptimizer ? cluster : undefined;
    this.optimizer = new Optimizer(trainableWeights(model), {
      ...options,
      ...{ sumGradients, sharding },
    });
    this.random = new Random(`${options.seed}/train`);
    this.state = {
      ...{ step: 0, epoch: 0, position: 0, tokens: 0, seconds: 0, validationsWithoutImprovement: 0 },
      random: this.random.save(),
    };
    this.before = this.state;
  }

  /** Takes up the last checkpoint, if there is one. */
  async begin(): Promise<void> {
    const { cluster } = this.options;
    this.state = await first(cluster, () => this.resumed() ?? this.state);
    this.random.restore(this.state.random);
    const shared = this.optimizer.shared();
    cluster?.copyFirst([...trainableWeights(this.model).values(), ...(shared ? [] : this.optimizer.variables)]);
    const { step } = this.state;
    if (shared && step > 0) {
      if (!cluster!.isFirst) shared.restore(undefined);
      else readOptimizer(this.folder as RunFolder, step, (read) => shared.restore(read));
    }
    if (cluster) await this.task.state?.share?.(cluster);
    this.before = { ...this.state };
    this.lines = this.folder.readLog();
  }

  private resumed(): LoopState | undefined {
    const { folder, task } = this;
    if (!(folder instanceof RunFolder)) return undefined;
    const state = resumeCheckpoint(folder, this.model, this.optimizer, task.state);
    if (state?.best && !existsSync(folder.modelFolder)) throw new InputError(`${folder.modelFolder}: lost`);
    return state;
  }

  async run(): Promise<TrainReport> {
    const { evalStart, keepLast = false } = this.options;
    const { state, plan } = this;
    if (plan.total === 0) throw new InputError(`${this.task.name}: nothing to train on; is the training split empty?`);
    const progress = startProgress(this.task.name, plan.total - state.step, 'steps');
    if (evalStart && state.step === 0 && !state.best) await this.validate(); // a resumed run did it before
    let batches = this.task.batches(state.epoch);
    while (state.step < plan.total && !this.exhausted()) {
      if (state.position === batches.length) {
        batches = this.task.batches(++state.epoch);
        state.position = 0;
        continue;
      }
      const line = await this.update(batches[state.position]!);
      state.position++;
      this.log(line);
      progress.tick(1, `loss ${line.loss!.toFixed(3)}, ${this.tokensPerSecond()} tokens/s`);
      await new Promise(setImmediate); // computing blocks the event loop: let plots draw and interrupts arrive
      if (state.step % plan.evalSteps === 0 || state.step === plan.total) await this.validate();
      if (this.options.cluster ? this.stopAsked : interrupted()) await this.stopInterrupted();
    }
    progress.end();
    if (keepLast) await this.saveModel(join(this.folder.folder, 'last'));
    const { step: steps, tokens, best } = state;
    return { steps, tokens, seconds: this.seconds(), best: best!, model: this.folder.modelFolder };
  }

  /** Whether patience is at its end. */
  private exhausted(): boolean {
    return this.options.patience > 0 && this.state.validationsWithoutImprovement >= this.options.patience;
  }

  private async update(batch: Batch): Promise<MetricLine> {
    const { learningRate, schedule, cluster } = this.options;
    const { state, plan } = this;
    const step = state.step + 1;
    const { microBatches, metrics = {} } = await this.task.objective(batch, this.random, step, cluster);
    const { gradients, ...own } = await batchGradientsInTurns(this.model, microBatches);
    const { loss, tokens } = await this.ofAll(own);
    const rate = learningRate * lrScale(schedule, step, plan.warmup, plan.total);
    const norm = Number.isFinite(loss) ? this.optimizer.apply(gradients, step, rate) : NaN;
    tf.dispose([...gradients.values()]);
    if (!Number.isFinite(norm)) this.stopDiverged(step);
    this.task.updated?.(step);
    state.step = step;
    state.tokens += tokens;
    const logged = typeof metrics === 'function' ? metrics() : metrics;
    return { step, epoch: state.epoch, loss, norm, rate, tokens: state.tokens, seconds: this.seconds(), ...logged };
  }

  /** Loss and tokens of the whole batch; and whether any process is to stop. @throws what one failed with, in all */
  private async ofAll(own: { loss: number; tokens: number }): Promise<{ loss: number; tokens: number }> {
    const { cluster } = this.options;
    if (!cluster) return own;
    const failed = this.failure !== undefined;
    const all = cluster.numbers([own.loss, own.tokens, Number(interrupted()), Number(failed)]);
    const sum = (of: number): number => all.reduce((total, row) => total + row[of]!, 0);
    if (sum(3) > 0) await this.failTogether();
    this.stopAsked = sum(2) > 0;
    return { loss: sum(0), tokens: sum(1) };
  }

  private failTogether(): Promise<void> {
    return together(this.options.cluster, () => {
      if (this.failure !== undefined) throw this.failure;
    });
  }

  /** Validates, keeps the model if it is the best, saves a checkpoint. */
  private async validate(): Promise<void> {
    const { state } = this;
    const { bestMetric } = this.options;
    checkMappedFiles(this.model.weights.values());
    const { cluster } = this.options;
    await this.failTogether();
    const metrics = await this.task.validate(cluster);
    await first(cluster, () => {
      const rows = this.task.validRows?.();
      if (rows) writeValidRows(this.folder.folder, state.step, rows);
    });
    const figure = metrics[bestMetric];
    if (figure === undefined) {
      const names = Object.keys(metrics).join(', ');
      throw new InputError(`${this.task.name}: expected --best-metric to be one of ${names}, got ${bestMetric}`);
    }
    this.log({ step: state.step, ...Object.fromEntries(Object.entries(metrics).map(([k, v]) => [`valid ${k}`, v])) });
    const sign = smallerIsBetter(bestMetric) ? -1 : 1;
    if (!state.best || sign * figure > sign * state.best.metrics[bestMetric]!) {
      await this.saveModel(this.folder.modelFolder);
      state.best = { step: state.step, metrics };
      state.validationsWithoutImprovement = 0;
    } else state.validationsWithoutImprovement++;
    await this.save();
  }

  private async saveModel(folder: string): Promise<void> {
    await first(this.options.cluster, () => this.options.save(folder));
  }

  private log(line: MetricLine): void {
    this.lines.push(line);
    try {
      this.folder.log(line);
    } catch (error) {
      if (!this.options.cluster) throw error;
      this.failure ??= error;
    }
    this.options.onLog?.(this.lines);
  }

  private async save(): Promise<void> {
    const state = { ...this.state, seconds: this.seconds(), random: this.random.save() };
    const { keep, cluster } = this.options;
    const write = (optimizer: Pick<Optimizer, 'save'>): void =>
      saveCheckpoint(this.folder, keep, this.model, optimizer, state, this.task.state);
    const shared = this.optimizer.shared();
    if (!shared) return first(cluster, () => write(this.optimizer));
    await together(cluster, () =>
      shared.save(cluster!.isFirst ? (arrays) => write({ save: () => arrays }) : undefined),
    );
  }

  private stopDiverged(step: number): never {
    checkMappedFiles(this.model.weights.values());
    const last = this.folder.checkpoints().at(-1);
    const stands =
      last === undefined ? 'no checkpoint yet' : `the last good checkpoint is kept: ${this.folder.checkpoint(last)}`;
    throw new InputError(
      `${this.task.name}: the loss or its gradient is not finite at step ${step}; ${stands}; lower --learning-rate`,
    );
  }

  private async stopInterrupted(): Promise<never> {
    await this.save();
    throw new Interrupted(
      `${this.task.name}: interrupted at step ${this.state.step}; saved in ${this.folder.folder}, run it again to resume`,
    );
  }

  private seconds(): number {
    return this.before.seconds + (performance.now() - this.started) / 1000;
  }

  /** Of this process, so that what a resumed run did before does not count. */
  private tokensPerSecond(): number {
    return Math.round((this.state.tokens - this.before.tokens) / (this.seconds() - this.before.seconds));
  }

  dispose(): void {
    this.optimizer.dispose();
  }
}
