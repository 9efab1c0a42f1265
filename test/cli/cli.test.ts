/** The built command (`npm test` builds it first): help, one-line errors, JSON, own data from end to end. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeSample } from '../../lib/data/sample/sample.js';
import type { PipelineReport } from '../../lib/pipeline/pipeline-report.js';

interface Ran {
  status: number;
  out: string;
  err: string;
}

/** The engine by name, where one is given: without a native one `auto` says so in a line of its own. */
function run(args: string[], engine?: string): Promise<Ran> {
  const env = { ...process.env, ...(engine && { SIDLAB_BACKEND: engine }) };
  return new Promise((resolve) => {
    execFile(process.execPath, ['dist/cli.js', ...args], { env }, (error, out, err) => {
      resolve({ status: error ? Number(error.code) : 0, out, err });
    });
  });
}

const sidlab = (...args: string[]): Promise<Ran> => run(args);

const folder = mkdtempSync(join(tmpdir(), 'sidlab-cli-'));

test('help lists the commands, and the flags of one', async () => {
  expect((await sidlab('--help')).out).toContain('evaluate');
  expect((await sidlab('sft', '--help')).out).toMatch(/--learning-rate +peak learning rate/);
});

describe('mistakes end in one line, before anything is written', () => {
  test.each([
    [['nonsense'], 'unknown command nonsense'],
    [['sft'], 'sft: expected --data'],
    [['sft', '--data', join(folder, 'none')], 'none'],
    [['filter', '--user-k', 'five'], 'filter: expected --user-k to be a whole number of 1 or more, got "five"'],
    [['filter', '--colour', 'red'], 'filter: unknown flag --colour; sidlab filter --help'],
    [['baseline', 'psychic', '--data', folder], 'expected BASELINE to be one of popularity, transition, '],
    [['pipeline', '--meta', 'x'], 'expected --reviews, --data or --converted, and --out'],
    [['pipeline', '--reviews', 'x'], 'expected --out beside the data'],
    [['evaluate', '--data', folder, '--model', folder], folder],
  ])('%j', async (args, message) => {
    const { status, out, err } = await run(args, 'wasm');
    expect(status).toBe(1);
    expect(out).toBe('');
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).toContain(message);
  });

  test('a configuration with an unknown stage', async () => {
    const file = join(folder, 'run.json');
    writeFileSync(file, JSON.stringify({ out: folder, dataset: 'x', sftt: {} }));
    const { status, err } = await sidlab('pipeline', '--config', file);
    expect(status).toBe(1);
    expect(err).toContain('unknown key sftt');
  });

  test('an engine asked for by an unknown name', async () => {
    const { status, err } = await run(['doctor'], 'abacus');
    expect(status).toBe(1);
    expect(err).toContain('abacus');
  });
});

test('own data from reviews to results, and again without work', async () => {
  const { reviews, meta } = writeSample({ out: join(folder, 'raw'), size: 'tiny', seed: 7 });
  const out = join(folder, 'shop');
  const flags = [
    '--user-k',
    '3',
    '--item-k',
    '3',
    '--model',
    'qwen2:32x1',
    '--sft-epochs',
    '4',
    '--codebook-size',
    '8',
  ];
  const own = ['pipeline', '--reviews', reviews, '--meta', meta, '--out', out, '--dataset', 'shop', ...flags, '--json'];
  const first = await sidlab(...own);
  expect(first.err).not.toContain('Error');
  const report = JSON.parse(first.out) as PipelineReport;
  expect(report.evaluate).toMatchObject({ invalid: 0, duplicates: 0, rows: report.stages.filter!.split.test });
  expect(Object.keys(report.baselines)).toEqual(['popularity', 'transition']);
  for (const figure of report.figures) expect(existsSync(figure), figure).toBe(true);
  expect(readFileSync(report.results, 'utf8').trim().split('\n')).toHaveLength(report.evaluate.rows);
  expect(existsSync(join(out, 'info', 'shop.txt'))).toBe(true);

  const trained = statSync(join(report.stages.sft.model, 'model.safetensors')).mtimeMs;
  const second = JSON.parse((await sidlab(...own)).out) as PipelineReport;
  expect({ ...second, seconds: 0 }).toEqual({ ...report, seconds: 0 });
  expect(statSync(join(report.stages.sft.model, 'model.safetensors')).mtimeMs).toBe(trained);

  const elsewhere = own.map((arg) => (arg === out ? join(folder, 'same-shop') : arg));
  const same = JSON.parse((await sidlab(...elsewhere)).out) as PipelineReport;
  expect(readFileSync(same.results, 'utf8')).toBe(readFileSync(report.results, 'utf8')); // same seed, same table

  const other = await sidlab(...own.map((arg) => (arg === '4' ? '5' : arg)));
  expect(other.status).toBe(1);
  expect(other.err).toContain('a run of another configuration (epochs is 4 there, 5 here)');
});
