/**
 * A run's folder: `config.json`, `metrics.jsonl`, `checkpoint-N/`, `model/` (the best so far) and `card.json` when done.
 *
 * A checkpoint is written under a temporary name and renamed, so that whatever stands under `checkpoint-N` is whole. A
 * killed run goes on from the last one; what `metrics.jsonl` says of later steps is dropped.
 */
import { appendFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from './errors.js';
import { readJson, readText, writeAtomic, writeJson } from './files.js';

export interface MetricLine {
  step: number;
  [name: string]: number;
}

export class RunFolder {
  readonly metricsFile: string;
  readonly modelFolder: string;

  /**
   * @param config whatever decides the result; a folder that holds another one is refused
   * @throws InputError if the folder belongs to a run of another configuration
   */
  constructor(
    readonly folder: string,
    config: Record<string, unknown>,
  ) {
    this.metricsFile = join(folder, 'metrics.jsonl');
    this.modelFolder = join(folder, 'model');
    const file = join(folder, 'config.json');
    if (existsSync(file)) refuseOther(file, readJson<Record<string, unknown>>(file), config);
    else writeJson(file, config);
  }

  /** Result of a finished run, if it is one. */
  get card(): Record<string, unknown> | undefined {
    const file = join(this.folder, 'card.json');
    return existsSync(file) ? readJson<Record<string, unknown>>(file) : undefined;
  }

  finish(card: Record<string, unknown>): void {
    writeJson(join(this.folder, 'card.json'), card);
    for (const step of this.checkpoints()) rmSync(this.checkpoint(step), { recursive: true });
  }

  checkpoint(step: number): string {
    return join(this.folder, `checkpoint-${step}`);
  }

  /** Steps that have a whole checkpoint, ascending. */
  checkpoints(): number[] {
    const names = readdirSync(this.folder).map((name) => /^checkpoint-(\d+)$/.exec(name)?.[1]);
    return names.flatMap((step) => (step === undefined ? [] : [Number(step)])).sort((a, b) => a - b);
  }

  /** Lets `write` fill the checkpoint's folder, then puts it in place and drops all but the last `keep`. */
  saveCheckpoint(step: number, keep: number, write: (folder: string) => void): void {
    const temporary = join(this.folder, 'checkpoint.tmp');
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary, { recursive: true });
    write(temporary);
    rmSync(this.checkpoint(step), { recursive: true, force: true });
    renameSync(temporary, this.checkpoint(step));
    for (const old of this.checkpoints().slice(0, -keep)) rmSync(this.checkpoint(old), { recursive: true });
  }

  log(line: MetricLine): void {
    appendFileSync(this.metricsFile, JSON.stringify(line) + '\n');
  }

  readLog(): MetricLine[] {
    return existsSync(this.metricsFile) ? readMetrics(this.metricsFile) : [];
  }

  /** Drops what a killed run logged after the checkpoint that it goes on from. */
  truncateLog(step: number): void {
    const kept = this.readLog().filter((line) => line.step <= step);
    writeAtomic(this.metricsFile, kept.map((line) => JSON.stringify(line) + '\n').join(''));
  }
}

/** Lines of `metrics.jsonl`; a last line that a kill cut short is passed over. */
export function readMetrics(file: string): MetricLine[] {
  const lines = readText(file, 'train first')
    .split('\n')
    .filter((line) => line !== '');
  return lines.flatMap((line, i) => {
    try {
      return [JSON.parse(line) as MetricLine];
    } catch {
      if (i === lines.length - 1) return [];
      throw new InputError(`${file}:${i + 1}: not valid JSON; remove the line`);
    }
  });
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
