/**
 * `card.json`: what a finished run was made of, so that a metric can be traced to its data, its code and its machine.
 */
import { existsSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { installed } from '../../engine/installed.js';
import type { Precision } from '../../ops/precision.js';
import { type CodeVersion, codeVersion, packageVersion } from '../../runs/code-version.js';
import { hashInputs, type RunInputs } from '../../runs/inputs.js';
import { tell } from '../../support/progress.js';

/** What a finished run was made of. */
export interface RunCard {
  /** What the run gave back. */
  report: object;
  /** Options, and whatever else decides the result. */
  config: object;
  /** Of everything random. */
  seed: number;
  /** Engine that computed. */
  backend: string;
  /** Version of Node. */
  node: string;
  /** SHA-256 of each file: splits, items, index, and the files of the model that it started from. */
  inputs: Record<string, string>;
  /** Which code ran. */
  code: CodeVersion;
  /** Of the packages. */
  versions: { sidlab: string; node: string; tfjs: string; tensorflow: string | null };
  /** Of the machine. */
  hardware: {
    cpu: string;
    cores: number;
    memoryGiB: number;
    backend: string;
    device: 'cpu' | 'gpu';
    /** Of the large products. */
    precision: Precision;
  };
  /** When it was done, ISO 8601. */
  finished: string;
  /** Of training. */
  seconds: number;
}

/** @param report result of the run @param config as in `config.json`, which names the precision where it is not float32 */
export function runCard<R extends { seconds: number }>(
  report: R,
  config: { seed: number; precision?: Precision },
  inputs: RunInputs,
): RunCard & Record<string, unknown> {
  const { node } = process.versions;
  const backend = tf.getBackend();
  const device = (tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true ? 'gpu' : 'cpu';
  const [cpu] = cpus();
  return {
    report,
    config,
    seed: config.seed,
    backend,
    node: process.version,
    inputs: hashInputs(inputs),
    code: codeVersion(),
    versions: { sidlab: packageVersion(), node, tfjs: tf.version.tfjs, tensorflow: installed().tensorflow },
    hardware: {
      cpu: cpu?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      memoryGiB: Number((totalmem() / 2 ** 30).toFixed(1)),
      ...{ backend, device, precision: config.precision ?? 'float32' },
    },
    finished: new Date().toISOString(),
    seconds: report.seconds,
  };
}

/** Says in one line that a result is kept although other code or another engine made it. @param card of a finished run */
export function tellIfOther(name: string, card: Record<string, unknown>): void {
  const { code, backend } = card as Partial<RunCard>;
  const engine = tf.getBackend();
  const others = [
    ...(code !== undefined && code.hash !== codeVersion().hash ? ['other code'] : []),
    ...(backend !== undefined && backend !== engine ? [`the ${backend} engine, not ${engine}`] : []),
  ];
  if (others.length > 0) tell(`${name}: kept a result that was made by ${others.join(' and ')}; --again redoes it`);
}

/** Says in one line that a finished run has not kept what is asked for now. @param run its folder */
export function tellIfNotKept(name: string, run: string, { keepLast }: { keepLast: boolean }): void {
  if (!keepLast || existsSync(join(run, 'last'))) return;
  tell(`${name}: the finished run in ${run} has not kept the model of its last update; --again trains it anew`);
}
