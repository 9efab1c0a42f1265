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

type Arrays = Map<string, NamedArray>;

/** Metrics of an epoch's model. */
export interface EpochMetrics {
  /** From 1. */
  epoch: number;
  /** Of the reconstruction. */
  mse: number;
  /** Raw collision rate. */
  collision: number;
  /** Share of codes in use, over all levels. */
  utilisation: number;
}

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

  /** @param config whatever decides the result @throws InputError if the folder belongs to another run */
  constructor(folder: string | undefined, config: Record<string, unknown>) {
    this.folder = folder === undefined ? undefined : new RunFolder(folder, config);
    this.folder?.truncateLog(this.folder.checkpoints().at(-1) ?? -1);
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
    this.folder?.saveCheckpoint(state.epoch, 1, (at) => {
      writeSafetensors(join(at, 'model.safetensors'), parameters);
      writeSafetensors(join(at, 'optimizer.safetensors'), optimizer);
      writeJson(join(at, 'state.json'), state);
    });
  }

  log(line: MetricLine): void {
    this.lines.push(line);
    this.folder?.log(line);
  }

  /** @param arrays of the best model by `name` so far */
  keepBest(name: string, arrays: Arrays): void {
    if (this.folder) writeSafetensors(this.bestFile(name), arrays);
    else this.bests.set(name, arrays);
  }

  best(name: string): Arrays | undefined {
    const held = this.bests.get(name);
    if (held || !this.folder || !existsSync(this.bestFile(name))) return held;
    return readSafetensors(this.bestFile(name));
  }

  /** Where the best model lies, if the run has a folder. */
  bestFile(name: string): string {
    return join(this.folder?.folder ?? '', `best-${name}`, 'model.safetensors');
  }
}
