/**
 * The RQ-VAE's training loop: epochs over shuffled batches, the best models, checkpoints. A run that was killed
 * resumes from its last checkpoint and ends on the same bits. Within an epoch nothing is read from the engine.
 * Several processes train one model together (`processes.ts`): process 0 writes the run's folder, and what it resumes
 * from is copied to the others.
 *
 * Shapes: N items, D width, L levels.
 */
import * as tf from '@tensorflow/tfjs';
import { first, together } from '../../cluster/alone.js';
import type { Cluster } from '../../cluster/cluster.js';
import type { Vectors } from '../../files/npy.js';
import type { NamedArray } from '../../files/safetensors.js';
import { maskTensor } from '../../ops/dropout.js';
import type { MetricLine } from '../../runs/metric-lines.js';
import { InputError, Interrupted } from '../../support/errors.js';
import { interrupted, watchInterrupts } from '../../support/interrupt.js';
import { startProgress } from '../../support/progress.js';
import { Random } from '../../support/random.js';
import { lrScale } from '../../support/schedule.js';
import { codeUsage, collisionRate } from '../quantized.js';
import { BatchTerms, disposeTerms, type LetterTerms } from './batch-terms.js';
import { RqVaeCheckpoints, type RqVaeState } from './checkpoint.js';
import { resetDeadCodes } from './dead-codes.js';
import { EmaCodebooks } from './ema-codebooks.js';
import type { EpochMetrics } from './epoch-metrics.js';
import { initCodebooks, initialRqVae } from './init.js';
import { Optimizer } from './optimizer.js';
import { beats } from './best-model.js';
import type { RqVaePlan } from './options.js';
import { codebookName, fromVariables, parameterShapes, toVariables } from './parameters.js';
import { evaluateAll, ofWholeBatch, ownRows } from './processes.js';
import { ScaledRows } from './scaled-rows.js';
import { lossAndGradients } from './step.js';

/** The model that was kept, and its metrics. */
export interface Trained {
  /** Parameters by name. */
  arrays: Map<string, NamedArray>;
  /** Of the model that was taken. */
  metrics: EpochMetrics;
  /** Epochs in all. */
  epochs: number;
  /** Updates in all. */
  steps: number;
  /** Of training, over all runs of a resumed one. */
  seconds: number;
}

/** Options of `trainRqVae` beside the plan. */
export interface TrainRqVaeOptions {
  /** Codebooks to start from instead of k-means. */
  codebooks?: readonly Vectors[];
  /** Name for the progress line. Default `rqvae`. */
  name?: string;
  /** What decides the start besides the plan, for `config.json`. */
  inputs?: Record<string, unknown>;
  /** LETTER's losses beside the RQ-VAE's own. */
  letter?: LetterTerms;
  /** Processes that train together; process 0 writes the run's folder. Default this one alone. */
  cluster?: Cluster | undefined;
}

/** @throws InputError on a loss that is not finite, and on interrupt after saving */
export async function trainRqVae(vectors: Vectors, plan: RqVaePlan, options: TrainRqVaeOptions = {}): Promise<Trained> {
  const training = await together(options.cluster, () => new Training(vectors, plan, options));
  const release = watchInterrupts();
  try {
    await training.begin();
    return await training.run();
  } finally {
    release();
    training.dispose();
  }
}

class Training {
  private readonly rows: ScaledRows;
  private readonly folder: RqVaeCheckpoints;
  private readonly variables: Map<string, tf.Variable>;
  private readonly optimizer: Optimizer;
  private readonly ema: EmaCodebooks | undefined;
  private readonly terms: BatchTerms;
  private readonly random: Random;
  private readonly started = performance.now();
  private readonly secondsBefore: number;
  private state: RqVaeState;

  constructor(
    vectors: Vectors,
    private readonly plan: RqVaePlan,
    private readonly options: TrainRqVaeOptions,
  ) {
    // What follows changes where the results go or are shown, not what they are.
    const aside = ['run', 'onLog', 'collisions', 'best', 'keep'];
    const config = Object.fromEntries(Object.entries(plan).filter(([name]) => !aside.includes(name)));
    const { cluster } = options;
    this.folder = new RqVaeCheckpoints(
      cluster && !cluster.isFirst ? undefined : plan.run,
      { ...options.inputs, ...config },
      { count: plan.keep, best: plan.best },
    );
    this.random = new Random(`${plan.seed}/dropout`);
    const saved = this.folder.load();
    this.state = saved?.state ?? { epoch: 0, step: 0, seconds: 0, random: this.random.save(), best: {} };
    this.secondsBefore = this.state.seconds;
    this.random.restore(this.state.random);
    this.rows = new ScaledRows(vectors, plan.scale);
    const arrays = saved?.parameters ?? initialRqVae(plan, options.codebooks);
    this.variables = toVariables(arrays);
    this.terms = new BatchTerms(plan, options.letter);
    const books = new Set(plan.shape.sizes.map((_, level) => codebookName(level)));
    const ema = plan.codebookUpdate === 'ema';
    const names = [...parameterShapes(plan.shape).keys()].filter((name) => !ema || !books.has(name));
    const some = (of: Iterable<string>): Map<string, tf.Variable> =>
      new Map([...of].map((name) => [name, this.variables.get(name)!]));
    this.optimizer = new Optimizer(some(names), plan.optimizer);
    this.ema = ema ? new EmaCodebooks(some(books), plan.emaDecay, cluster) : undefined;
    if (saved) this.optimizer.restore(saved.optimizer);
    if (saved) this.ema?.restore(saved.optimizer);
  }

  /** Process 0's state in all processes: it may have come from a checkpoint. */
  async begin(): Promise<void> {
    const { optimizer, ema } = this;
    const { cluster } = this.options;
    if (!cluster) return;
    this.state = await cluster.first(() => this.state);
    this.random.restore(this.state.random);
    optimizer.updates = await cluster.first(() => optimizer.updates);
    cluster.copyFirst([...this.variables.values(), ...optimizer.variables, ...(ema?.variables ?? [])]);
  }

  async run(): Promise<Trained> {
    const { epochs, evalEpochs, autoencoderEpochs, onLog } = this.plan;
    const state = this.state;
    const progress = startProgress(this.options.name ?? 'rqvae', epochs, 'epochs');
    progress.tick(state.epoch);
    if (this.options.codebooks && state.step === 0) await this.evaluate();
    while (state.epoch < epochs) {
      const line = await this.epoch();
      const due = state.epoch % evalEpochs === 0 || state.epoch === epochs;
      if (due && state.epoch > autoencoderEpochs) Object.assign(line, await this.evaluate());
      await together(this.options.cluster, () => this.folder.log(line));
      onLog?.(this.folder.lines);
      progress.tick(1, `loss ${line.loss!.toPrecision(3)}`);
      const stop = this.stopAsked();
      if (due || stop) await this.save();
      if (stop && state.epoch < epochs) this.stop();
      await new Promise(setImmediate); // computing blocks the event loop: let plots draw and interrupts arrive
    }
    progress.end();
    return { ...(await this.best()), epochs, steps: state.step, seconds: this.seconds() };
  }

  /** The best model, which process 0 kept. */
  private async best(): Promise<Pick<Trained, 'arrays' | 'metrics'>> {
    const { best, run } = this.plan;
    const { cluster } = this.options;
    const metrics = this.state.best[best];
    let arrays: Map<string, NamedArray> | undefined;
    await first(cluster, () => {
      arrays = this.folder.best(best);
      if (!arrays || !metrics) throw new InputError(`sid: the best model by ${best} is lost; remove ${run}`);
    });
    if (!cluster) return { arrays: arrays!, metrics: metrics! };
    arrays?.forEach(({ data, shape }, name) =>
      tf.tidy(() => void this.variables.get(name)!.assign(tf.tensor(data, shape))),
    );
    cluster.copyFirst(this.variables.values());
    return { arrays: fromVariables(this.variables), metrics: metrics! };
  }

  /** Whether this process, or one of those that train with it, was asked to stop. */
  private stopAsked(): boolean {
    const { cluster } = this.options;
    return cluster ? cluster.numbers([Number(interrupted())]).some(([asked]) => asked! > 0) : interrupted();
  }

  /** Items of each step of an epoch; decided by its number alone. */
  private batches(epoch: number): number[][] {
    const { seed, batchSize } = this.plan;
    const order = new Random(`${seed}/epoch/${epoch}`).shuffle([...Array(this.rows.count).keys()]);
    return Array.from({ length: Math.ceil(order.length / batchSize) }, (_, i) =>
      order.slice(i * batchSize, (i + 1) * batchSize),
    );
  }

  /** One pass over the items. The losses are read when it is over. */
  private async epoch(): Promise<MetricLine> {
    const { learningRate, schedule, warmupEpochs, epochs, maxGradNorm, weightDecay } = this.plan;
    const state = this.state;
    const batches = this.batches(state.epoch);
    if (state.epoch === this.plan.autoencoderEpochs && !this.options.codebooks) {
      initCodebooks(this.plan, this.rows, batches[0]!, this.variables, this.options.cluster);
      this.ema?.anchor();
      await this.evaluate();
    }
    if (state.epoch >= this.plan.autoencoderEpochs) this.terms.beginEpoch(state.epoch, this.variables);
    const losses: tf.Tensor[] = [];
    let names: string[] = [];
    let rate = 0;
    for (const batch of batches) {
      state.step++;
      rate = learningRate * lrScale(schedule, state.step, warmupEpochs * batches.length, epochs * batches.length);
      const { losses: own, terms, gradients, levels, weight } = this.gradients(batch);
      this.optimizer.apply(gradients, { rate, maxGradNorm, weightDecay });
      levels.forEach(({ codes, residuals }, level) =>
        this.ema!.update(codebookName(level), codes, residuals, Math.sign(weight)),
      );
      tf.dispose([...gradients.values(), ...levels.flatMap(({ codes, residuals }) => [codes, residuals])]);
      losses.push(own);
      names = terms;
    }
    state.epoch++;
    const means = tf.tidy(() => tf.mean(tf.stack(losses), 0));
    const [loss, reconstruction, quantizer, ...extra] = means.dataSync();
    tf.dispose([...losses, means]);
    if (!Number.isFinite(loss)) {
      throw new InputError(`sid: the loss is not finite in epoch ${state.epoch}; lower --learning-rate`);
    }
    return {
      step: state.epoch,
      loss: loss!,
      reconstruction: reconstruction!,
      quantizer: quantizer!,
      ...Object.fromEntries(names.map((name, i) => [name, extra[i]!])),
      rate,
      ...this.resetDeadCodes(),
      seconds: this.seconds(),
    };
  }

  /** Resets dead codes after this epoch. @returns how many, all levels together; the items are drawn by its number */
  private resetDeadCodes(): { resetCodes?: number } {
    const { shape, seed, autoencoderEpochs, deadCodeEpochs } = this.plan;
    const { epoch } = this.state;
    if (epoch <= autoencoderEpochs || epoch > autoencoderEpochs + deadCodeEpochs) return {};
    const random = new Random(`${seed}/reseed/${epoch}`);
    const reset = resetDeadCodes(shape, this.variables, this.rows, random, this.options.cluster);
    const resetCodes = reset.reduce((sum, count) => sum + count, 0);
    if (resetCodes > 0) this.ema?.anchor();
    return { resetCodes };
  }

  private gradients(batch: readonly number[]) {
    const { cluster } = this.options;
    const { items, weight } = ownRows(batch, cluster);
    const random = cluster ? new Random(`${this.random.next()}/${cluster.rank}`) : this.random; // each process has its own
    const { shape, quantLossWeight, commitment, epsilons, sinkhornIterations: iterations, dropout } = this.plan;
    const { reconstructionLoss } = this.plan;
    const quantize = this.state.epoch >= this.plan.autoencoderEpochs;
    const x = this.rows.pick(items).tensor();
    const terms = quantize ? this.terms.of(items, random) : undefined;
    const result = lossAndGradients(shape, this.variables, x, {
      ...{ quantize, reconstructionLoss, ema: this.ema !== undefined },
      ...(terms && { terms }),
      ...{ quantLossWeight, commitment, assignment: { epsilons, iterations } },
      ...(dropout > 0 && {
        maskOf: (of: [number, number]) => maskTensor(random, of, dropout),
      }),
    });
    x.dispose();
    disposeTerms(terms);
    return { ...(cluster ? ofWholeBatch(result, weight, cluster) : result), weight };
  }

  /** Evaluates the model on all items, and keeps it where it is the best by some metric. */
  private async evaluate(): Promise<Omit<EpochMetrics, 'epoch'> & Record<string, number>> {
    const { shape, scale } = this.plan;
    const { cluster } = this.options;
    const { mse: scaled, codes } = evaluateAll(shape, this.variables, this.rows, cluster);
    const mse = scaled / scale ** 2;
    const { codesUsed } = codeUsage(codes, shape.sizes);
    const utilisation = codesUsed.reduce((sum, n) => sum + n, 0) / shape.sizes.reduce((sum, n) => sum + n, 0);
    const levels = codesUsed.map((used, level): [string, number] => [
      `utilisation/${String.fromCharCode(97 + level)}`,
      used / shape.sizes[level]!,
    ]);
    const metrics = { epoch: this.state.epoch, mse, collision: collisionRate(codes), utilisation };
    const beaten = (['loss', 'collision', 'utilisation', 'last'] as const).filter((name) =>
      beats(name, metrics, this.state.best[name]),
    );
    const kept = beaten.filter((name) => name !== 'last' || this.plan.best === 'last');
    await first(cluster, () => {
      if (kept.length === 0) return;
      const arrays = fromVariables(this.variables);
      for (const name of kept) this.folder.keepBest(name, arrays);
    });
    for (const name of beaten) this.state.best[name] = metrics;
    return { mse, collision: metrics.collision, utilisation, ...Object.fromEntries(levels) };
  }

  private async save(): Promise<void> {
    const state = { ...this.state, seconds: this.seconds(), random: this.random.save() };
    if (this.plan.run === undefined) return;
    await first(this.options.cluster, () =>
      this.folder.save({
        state,
        parameters: fromVariables(this.variables),
        optimizer: new Map([...this.optimizer.save(), ...(this.ema?.save() ?? [])]),
      }),
    );
  }

  private stop(): never {
    const { run } = this.plan;
    const saved = run === undefined ? 'nothing was saved (no run folder)' : `saved in ${run}, run it again to resume`;
    throw new Interrupted(`sid: interrupted after epoch ${this.state.epoch}; ${saved}`);
  }

  private seconds(): number {
    return this.secondsBefore + (performance.now() - this.started) / 1000;
  }

  dispose(): void {
    this.optimizer.dispose();
    this.ema?.dispose();
    tf.dispose([...this.variables.values()]);
  }
}
