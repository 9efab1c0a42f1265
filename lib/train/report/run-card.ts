/**
 * `card.json`: what a finished run was made of, so that a figure can be traced to its data, its code and its machine.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import type { Dataset } from '../../data/dataset.js';
import { installed } from '../../engine/installed.js';
import { hashFile, readJson } from '../../files/files.js';

export interface RunInputs {
  dataset: Pick<Dataset, 'dir' | 'name'>;
  /** Index file. */
  index: string;
  /** Model folder that it started from, or a shape. */
  model: string;
}

export interface RunCard {
  report: object;
  /** Options, and whatever else decides the result. */
  config: object;
  seed: number;
  backend: string;
  node: string;
  /** SHA-256 of each file: splits, items, index, and the files of the model that it started from. */
  inputs: Record<string, string>;
  code: CodeVersion;
  versions: { sidlab: string; node: string; tfjs: string; tensorflow: string | null };
  hardware: {
    cpu: string;
    cores: number;
    memoryGiB: number;
    backend: string;
    device: 'cpu' | 'gpu';
    precision: string;
  };
  /** When it was done, ISO 8601. */
  finished: string;
  /** Of training. */
  seconds: number;
}

/** @param report result of the run @param config as in `config.json` */
export function runCard<R extends { seconds: number }>(
  report: R,
  config: { seed: number },
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
      ...{ backend, device, precision: 'float32' },
    },
    finished: new Date().toISOString(),
    seconds: report.seconds,
  };
}

/** They decide what is kept and how it is computed, not what comes out. */
const IGNORED = ['keep', 'keepLast', 'layerCheckpointing'];

/** The options that decide a result, for `config.json`: a run may be gone on with where only the others differ. */
export function fingerprintOptions(settings: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !IGNORED.includes(name)));
}

/** SHA-256 by file name. Of a shape there is nothing to hash: the seed makes its weights. */
export function hashInputs({ dataset: { dir, name }, index, model }: RunInputs): Record<string, string> {
  const data = ['item.json', 'train.inter', 'valid.inter', 'test.inter'].map((ending) => `${name}.${ending}`);
  const files = data.map((file) => [file, join(dir, file)]).filter(([, path]) => existsSync(path!));
  return Object.fromEntries(
    [...files, ['index', index], ...baseFiles(model)].map(([file, path]) => [file, hashFile(path!)]),
  );
}

/** Configuration, tokenizer and weights of a model folder. */
function baseFiles(model: string): string[][] {
  if (!existsSync(join(model, 'config.json'))) return [];
  const names = readdirSync(model).filter((name) => /^(config|tokenizer)\.json$|\.safetensors$/.test(name));
  return names.sort().map((name) => [`base ${name}`, join(model, name)]);
}

export interface CodeVersion {
  /** SHA-256 over the kit's own files, compiled or not as they ran. */
  hash: string;
  /** Of the git checkout that they lie in, null outside one. */
  commit: string | null;
  /** Whether the checkout's files differ from the commit's; null outside one. */
  changed: boolean | null;
}

let code: CodeVersion | undefined;

export function codeVersion(): CodeVersion {
  return (code ??= { hash: hashCode(LIB), ...gitState(LIB) });
}

const LIB = fileURLToPath(new URL('../..', import.meta.url));

function hashCode(folder: string): string {
  const hash = createHash('sha256');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  for (const name of names.filter((name) => /(?<!\.d)\.(js|ts|json)$/.test(name))) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(folder, name)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** An installed package may lie within somebody else's checkout: only one that tracks the kit's own package counts. */
function gitState(folder: string): Pick<CodeVersion, 'commit' | 'changed'> {
  const git = (...args: string[]): string | null => {
    const { status, stdout } = spawnSync('git', ['-C', join(folder, '..'), ...args], { encoding: 'utf8' });
    return status === 0 ? stdout.trim() : null;
  };
  const commit = git('ls-files', '--error-unmatch', 'package.json') === null ? null : git('rev-parse', 'HEAD');
  if (commit === null) return { commit: null, changed: null };
  return { commit, changed: git('status', '--porcelain', '--untracked-files=no', '--', '.') !== '' };
}

function packageVersion(): string {
  return readJson<{ version: string }>(join(LIB, '..', 'package.json')).version;
}
