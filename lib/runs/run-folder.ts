/**
 * A run's folder: `config.json`, `metrics.jsonl` and the same for TensorBoard, `checkpoint-N/`, `model/` (the best so
 * far) and `card.json` when done.
 *
 * A checkpoint is written under a temporary name and renamed, so that whatever is under `checkpoint-N` is whole. A
 * killed run is resumed from the last one; what `metrics.jsonl` says of later steps is dropped. One process at a time
 * writes there (`run-lock.ts`).
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { appendOrFail, readJson, writeAtomic, writeJson } from '../files/files.js';
import { InputError } from '../support/errors.js';
import { tell } from '../support/progress.js';
import { type MetricLine, readMetrics } from './metric-lines.js';
import { isLocked, RunLock } from './run-lock.js';
import { TensorboardLog } from './tensorboard-log.js';

/** What happens where the folder already holds a run. */
export interface RunFolderOptions {
  /** Train anew although a result is there; the old run is kept beside it. Default false. */
  again?: boolean;
  /** What happens where the inputs are no longer those of the run: an error, or a run anew. Default `refuse`. */
  whenStale?: 'refuse' | 'replace';
}

/** A run's folder, open for one process. */
export class RunFolder {
  /** `metrics.jsonl` */
  readonly metricsFile: string;
  /** `model/`: the best model so far. */
  readonly modelFolder: string;
  private readonly lock: RunLock | undefined;
  private events: TensorboardLog | undefined;

  /**
   * @param config whatever decides the result, the hashes of its inputs (`inputs`) among it
   * @throws InputError if the folder belongs to a run of another configuration, or another process writes there
   */
  constructor(
    readonly folder: string,
    config: Record<string, unknown>,
  ) {
    this.metricsFile = join(folder, 'metrics.jsonl');
    this.modelFolder = join(folder, 'model');
    const file = join(folder, 'config.json');
    const change = changeOf(file, config);
    if (change) throw refusal(file, change);
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

  /** Folder of a step's checkpoint. */
  checkpoint(step: number): string {
    return join(this.folder, `checkpoint-${step}`);
  }

  /** Steps that have a whole checkpoint, ascending. */
  checkpoints(): number[] {
    const names = readdirSync(this.folder).map((name) => /^checkpoint-(\d+)$/.exec(name)?.[1]);
    return names.flatMap((step) => (step === undefined ? [] : [Number(step)])).sort((a, b) => a - b);
  }

  /**
   * Lets `write` fill the checkpoint's folder, then puts it in place and drops all but the last `keep` and those of
   * `others`. A step that has a checkpoint keeps it: the same step is the same state. A failure leaves what is there as
   * it is.
   */
  saveCheckpoint(step: number, keep: number, write: (folder: string) => void, others: readonly number[] = []): void {
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
    this.dropCheckpoints(keep, others);
  }

  private dropCheckpoints(keep: number, others: readonly number[] = []): void {
    const steps = this.checkpoints();
    for (const old of steps.slice(0, Math.max(0, steps.length - keep))) {
      if (!others.includes(old)) rmSync(this.checkpoint(old), { recursive: true });
    }
  }

  /** Adds a line to the metrics. */
  log(line: MetricLine): void {
    this.lock?.check();
    this.events ??= new TensorboardLog(this.folder, this.readLog());
    appendOrFail(this.metricsFile, JSON.stringify(line) + '\n');
    this.events.log(line);
  }

  /** The metrics so far. */
  readLog(): MetricLine[] {
    return existsSync(this.metricsFile) ? readMetrics(this.metricsFile) : [];
  }

  /** Drops what a killed run logged after the checkpoint that it is resumed from; TensorBoard's file likewise. */
  truncateLog(step: number): void {
    const kept = this.readLog().filter((line) => line.step <= step);
    writeAtomic(
      this.metricsFile,
      kept.map((line) => JSON.stringify(line) + '\n'),
    );
    this.events = new TensorboardLog(this.folder, kept);
  }
}

/** What a training loop asks of the folder: a `RunFolder`, or none where another process of the cluster writes. */
export type RunStore = Pick<
  RunFolder,
  'folder' | 'modelFolder' | 'checkpoints' | 'checkpoint' | 'saveCheckpoint' | 'log' | 'readLog' | 'release'
>;

/** A run whose files another process writes: nothing is kept here. */
export function otherRun(folder: string): RunStore {
  const nothing = (): void => undefined;
  return {
    folder,
    modelFolder: join(folder, 'model'),
    checkpoints: () => [],
    checkpoint: (step) => join(folder, `checkpoint-${step}`),
    readLog: () => [],
    ...{ saveCheckpoint: nothing, log: nothing, release: nothing },
  };
}

/**
 * The card of a finished run of this configuration. Nothing is written, so that a run which cannot start leaves nothing
 * behind; a run whose inputs have changed is put aside or refused.
 * @throws InputError if the folder belongs to a run of another configuration, or on other data
 */
export function finishedRun(
  folder: string,
  config: Record<string, unknown>,
  { again = false, whenStale = 'refuse' }: RunFolderOptions = {},
): Record<string, unknown> | undefined {
  const file = join(folder, 'config.json');
  const change = changeOf(file, config);
  if (again && existsSync(file)) setAside(folder, '--again');
  else if (change?.input && whenStale === 'replace') setAside(folder, change.what);
  else if (change) throw refusal(file, change);
  const card = join(folder, 'card.json');
  return existsSync(card) ? placedHere(readJson<Record<string, unknown>>(card), folder) : undefined;
}

/** The card with its model's path as it is now: a folder may have been moved, or named from elsewhere. */
function placedHere(card: Record<string, unknown>, folder: string): Record<string, unknown> {
  const report = card.report as { model?: unknown } | undefined;
  if (typeof report?.model !== 'string') return card;
  return { ...card, report: { ...report, model: join(folder, 'model') } };
}

interface Change {
  /** In words: `sft.epochs is 3 there, 4 here`. */
  what: string;
  /** Whether an input changed, not an option. */
  input: boolean;
}

function changeOf(file: string, config: Record<string, unknown>): Change | undefined {
  return existsSync(file) ? firstChange(readJson<Record<string, unknown>>(file), config) : undefined;
}

/** The first difference between two configurations; of an input's hash only the input's name is given. */
function firstChange(there: Record<string, unknown>, here: Record<string, unknown>): Change | undefined {
  const changed = (a: Record<string, unknown>, b: Record<string, unknown>): string | undefined =>
    [...new Set([...Object.keys(a), ...Object.keys(b)])].find(
      (key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]),
    );
  const { inputs: before = {}, rows: rowsBefore, ...oldOptions } = there;
  const { inputs: now = {}, rows: rowsNow, ...newOptions } = here;
  // the number of training rows says of the data in words what a hash does not
  const option = changed(oldOptions, newOptions) ?? changed({ rows: rowsBefore }, { rows: rowsNow });
  if (option !== undefined) {
    const [old, given] = [JSON.stringify(there[option]), JSON.stringify(here[option])];
    return { what: `${option} is ${old} there, ${given} here`, input: option === 'rows' };
  }
  const input = changed(before as Record<string, unknown>, now as Record<string, unknown>);
  return input === undefined ? undefined : { what: `${input} has changed`, input: true };
}

function refusal(file: string, { what, input }: Change): InputError {
  const kind = input ? 'a run on other data' : 'a run of another configuration';
  return new InputError(`${file}: ${kind} (${what}); give another --run, remove the folder, or redo it with --again`);
}

/** Nothing is lost: an old run moves to `FOLDER.before-N`. @throws InputError while a process writes there */
export function setAside(folder: string, why: string): void {
  if (isLocked(folder, true))
    throw new InputError(`${folder}: in use by another process; wait for it, or give another --run`);
  let n = 1;
  while (existsSync(`${folder}.before-${n}`)) n++;
  renameSync(folder, `${folder}.before-${n}`);
  tell(`${folder}: ${why}, so it is trained anew; the old run is in ${folder}.before-${n}`);
}
