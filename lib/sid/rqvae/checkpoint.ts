/**
 * The folder of an RQ-VAE's training: `config.json`, `metrics.jsonl`, `checkpoint-EPOCH/`, `best-loss/`,
 * `best-collision/`, `best-utilisation/`. Without a folder the best models are held in memory.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, writeJson } from '../../files/files.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../files/safetensors.js';
import type { MetricLine } from '../../runs/metric-lines.js';
import { RunFolder } from '../../runs/run-folder.js';
import type { RandomState } from '../../support/random.js';
import type { Best } from '../choices.js';
import { beats } from './best-model.js';
import type { EpochMetrics } from './epoch-metrics.js';

type Arrays = Map<string, NamedArray>;

/** The state of training after an epoch, beside parameters and optimizer. */
export interface RqVaeState {
  /** Epochs done. */
  epoch: number;
  /** Updates done. */
  step: number;
  /** Of training so far. */
  seconds: number;
  /** State of the random numbers. */
  random: RandomState;
  /** Best metrics so far, by what `best` may be. */
  best: Record<string, EpochMetrics>;
}

/** A checkpoint as it was read. */
export interface Saved {
  /** Where training was. */
  state: RqVaeState;
  /** By name. */
  parameters: Arrays;
  /** Moments by name. */
  optimizer: Arrays;
}

/** Checkpoints, metrics and best models of a training run, in a folder or in memory. */
export class RqVaeCheckpoints {
  private readonly folder: RunFolder | undefined;
  private readonly bests = new Map<string, Arrays>();
  readonly lines: MetricLine[];

  /**
   * @param config whatever decides the result
   * @param kept checkpoints that stay: so many of the newest, and of the best by a metric; default the newest alone
   * @throws InputError if the folder belongs to another run
   */
  constructor(
    folder: string | undefined,
    config: Record<string, unknown>,
    private readonly kept: { count: number; best: Best } = { count: 0, best: 'loss' },
  ) {
    this.folder = folder === undefined ? undefined : new RunFolder(folder, config);
    this.folder?.truncateLog(this.folder.checkpoints().at(-1) ?? 0); // epochs count from 1
    this.lines = this.folder?.readLog() ?? [];
  }

  /** The last whole checkpoint. */
  load(): Saved | undefined {
    const epoch = this.folder?.checkpoints().at(-1);
    if (epoch === undefined) return undefined;
    const at = this.folder!.checkpoint(epoch);
    return {
      state: readJson<RqVaeState>(join(at, 'state.json')),
      parameters: readSafetensors(join(at, 'model.safetensors')),
      optimizer: readSafetensors(join(at, 'optimizer.safetensors')),
    };
  }

  save({ state, parameters, optimizer }: Saved): void {
    const { count, best } = this.kept;
    const write = (at: string): void => {
      writeSafetensors(join(at, 'model.safetensors'), parameters);
      writeSafetensors(join(at, 'optimizer.safetensors'), optimizer);
      writeJson(join(at, 'state.json'), state);
    };
    this.folder?.saveCheckpoint(state.epoch, Math.max(1, count), write, bestEpochs(this.lines, best, count));
  }

  log(line: MetricLine): void {
    this.lines.push(line);
    this.folder?.log(line);
  }

  /** @param arrays of the best model by `name` so far */
  keepBest(name: string, arrays: Arrays): void {
    if (this.folder) writeSafetensors(this.bestFile(this.folder, name), arrays);
    else this.bests.set(name, arrays);
  }

  best(name: string): Arrays | undefined {
    if (!this.folder) return this.bests.get(name);
    const file = this.bestFile(this.folder, name);
    return existsSync(file) ? readSafetensors(file) : undefined;
  }

  private bestFile({ folder }: RunFolder, name: string): string {
    return join(folder, `best-${name}`, 'model.safetensors');
  }
}

/** The epochs of the best evaluated models, at most `count`; of equal ones the earlier. */
export function bestEpochs(lines: readonly MetricLine[], best: Best, count: number): number[] {
  const evaluated = lines.flatMap(({ step: epoch, mse, collision, utilisation }): EpochMetrics[] =>
    mse === undefined ? [] : [{ epoch, mse, collision: collision!, utilisation: utilisation! }],
  );
  const better = (a: EpochMetrics, b: EpochMetrics): number => Number(beats(best, b, a)) - Number(beats(best, a, b));
  const latest = best === 'last' ? evaluated.reverse() : evaluated.sort(better);
  return latest.slice(0, count).map(({ epoch }) => epoch);
}
