/**
 * A run's event file for TensorBoard (SwanLab and W&B import it): `events.out.tfevents.START.sidlab`, the scalars of
 * `metrics.jsonl` and nothing else.
 *
 * `metrics.jsonl` is the record; at the start of every process the event file is written anew from it, so that a run
 * that was killed and resumed has every step once. Its clock is the time of training: the file's START (seconds
 * since 1970) plus the line's `seconds`, pauses left out.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { appendOrFail, writeAtomic } from '../files/files.js';
import type { MetricLine } from './metric-lines.js';
import { scalarEvent, tfRecord, versionEvent } from './tensorboard-events.js';

const NAME = /^events\.out\.tfevents\.(\d+)\.sidlab$/;

/** Writes metric lines as an event file for TensorBoard. */
export class TensorboardLog {
  /** Event file. */
  readonly file: string;
  private readonly start: number;
  private seconds = 0;

  /** @param folder of the run; its event file is continued @param lines those of `metrics.jsonl` */
  constructor(folder: string, lines: readonly MetricLine[]) {
    const old = existsSync(folder) ? readdirSync(folder).find((name) => NAME.test(name)) : undefined;
    this.start = old === undefined ? Math.floor(Date.now() / 1000) : Number(NAME.exec(old)![1]);
    this.file = join(folder, `events.out.tfevents.${this.start}.sidlab`);
    const events = [versionEvent(this.start), ...lines.map((line) => this.event(line))];
    writeAtomic(this.file, Buffer.concat(events.map(tfRecord)));
  }

  /** Writes a line's metrics. */
  log(line: MetricLine): void {
    appendOrFail(this.file, tfRecord(this.event(line)));
  }

  private event({ step, seconds, ...scalars }: MetricLine): Uint8Array {
    this.seconds = seconds ?? this.seconds; // a validation has none: it follows its step
    const tagged = Object.entries(scalars).map(([name, value]) => [tagOf(name), value]);
    return scalarEvent(this.start + this.seconds, step, Object.fromEntries(tagged) as Record<string, number>);
  }
}

/** TensorBoard groups by what is before the slash. @example tagOf('valid NDCG@10') // 'valid/NDCG@10' */
export function tagOf(name: string): string {
  return name.startsWith('valid ') ? `valid/${name.slice('valid '.length)}` : `train/${name}`;
}
