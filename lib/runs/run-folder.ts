/**
 * A run's folder: `config.json`, `metrics.jsonl` and the same for TensorBoard, `checkpoint-N/`, `model/` (the best so
 * far) and `card.json` when done.
 *
 * A checkpoint is written under a temporary name and renamed, so that whatever stands under `checkpoint-N` is whole. A
 * killed run goes on from the last one; what `metrics.jsonl` says of later steps is dropped. One process at a time
 * writes there (`run-lock.ts`).
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { appendOrFail, readJson, writeAtomic, writeJson } from '../files/files.js';
import { InputError } from '../support/errors.js';
import { type MetricLine, readMetrics } from './metric-lines.js';
import { RunLock } from './run-lock.js';
import { TensorboardLog } from './tensorboard-log.js';

export class RunFolder {
  readonly metricsFile: string;
  readonly modelFolder: string;
  private readonly lock: RunLock | undefined;
  private events: TensorboardLog | undefined;

  /**
   * @param config whatever decides the result; a folder that holds another one is refused
   * @throws InputError if the folder belongs to a run of another configuration, or another process writes there
   */
  constructor(
    readonly folder: string,
    config: Record<string, unknown>,
  ) {
    this.metricsFile = join(folder, 'metrics.jsonl');
    this.modelFolder = join(folder, 'model');
    const file = join(folder, 'config.json');
    if (existsSync(file)) refuseOther(file, readJson<Record<string, unknown>>(file), config);
    if (this.card) return; // nothing will be written
    this.lock = new RunLock(folder);
    if (!existsSync(file)) writeJson(file, config);
  }

  /** Result of a finished run, if it is one. */
  get card(): Record<string, unknown> | undefined {
    const file = join(this.folder, 'card.json');
    return existsSync(file) ? readJson<Record<string, unknown>>(file) : undefined;
  }

  /** Writes the card and lets the folder go. @param keep checkpoints that stay beside the best model; default 0 */
  finish(card: Record<string, unknown>, keep = 0): void {
    this.lock?.check();
    writeJson(join(this.folder, 'card.json'), card);
    this.dropCheckpoints(keep);
    this.release();
  }

  /** Lets another process write in the folder. */
  release(): void {
    this.lock?.release();
  }

  checkpoint(step: number): string {
    return join(this.folder, `checkpoint-${step}`);
  }

  /** Steps that have a whole checkpoint, ascending. */
  checkpoints(): number[] {
    const names = readdirSync(this.folder).map((name) => /^checkpoint-(\d+)$/.exec(name)?.[1]);
    return names.flatMap((step) => (step === undefined ? [] : [Number(step)])).sort((a, b) => a - b);
  }

  /**
   * Lets `write` fill the checkpoint's folder, then puts it in place and drops all but the last `keep`. A step that has
   * a checkpoint keeps it: the same step is the same state. A failure leaves what stands as it is.
   */
  saveCheckpoint(step: number, keep: number, write: (folder: string) => void): void {
    this.lock?.check();
    if (existsSync(this.checkpoint(step))) return;
    const temporary = join(this.folder, 'checkpoint.tmp');
    rmSync(temporary, { recursive: true, force: true });
    try {
      mkdirSync(temporary, { recursive: true });
      write(temporary);
      renameSync(temporary, this.checkpoint(step));
    } catch (error) {
      rmSync(temporary, { recursive: true, force: true });
      throw error;
    }
    this.dropCheckpoints(keep);
  }

  private dropCheckpoints(keep: number): void {
    const steps = this.checkpoints();
    for (const old of steps.slice(0, steps.length - keep)) rmSync(this.checkpoint(old), { recursive: true });
  }

  log(line: MetricLine): void {
    this.lock?.check();
    this.events ??= new TensorboardLog(this.folder, this.readLog());
    appendOrFail(this.metricsFile, JSON.stringify(line) + '\n');
    this.events.log(line);
  }

  readLog(): MetricLine[] {
    return existsSync(this.metricsFile) ? readMetrics(this.metricsFile) : [];
  }

  /** Drops what a killed run logged after the checkpoint that it goes on from; TensorBoard's file likewise. */
  truncateLog(step: number): void {
    const kept = this.readLog().filter((line) => line.step <= step);
    writeAtomic(this.metricsFile, kept.map((line) => JSON.stringify(line) + '\n').join(''));
    this.events = new TensorboardLog(this.folder, kept);
  }
}

function refuseOther(file: string, there: Record<string, unknown>, here: Record<string, unknown>): void {
  for (const key of new Set([...Object.keys(there), ...Object.keys(here)])) {
    const [old, now] = [JSON.stringify(there[key]), JSON.stringify(here[key])];
    if (old !== now) {
      throw new InputError(
        `${file}: a run of another configuration (${key} is ${old} there, ${now} here); give another --run, or remove the folder`,
      );
    }
  }
}
