/** Evaluation and free generation by several processes of the built command: the same bytes as by one. */
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { writeSample } from '../../lib/data/sample/sample.js';
import { embedItems } from '../../lib/embed/embed-items.js';
import { useEngine } from '../../lib/engine/engine.js';
import { sidStage } from '../../lib/sid/sid-stage.js';
import { sft } from '../../lib/train/sft/sft.js';
import { clusterTest, type Ended, startAll } from '../cluster/processes.js';
import { expectBuilt } from '../train/grpo/run-and-kill.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-evaluate-'));
const at = (name: string): string => join(folder, name);
let model: string;

beforeAll(async () => {
  expectBuilt();
  await useEngine();
  const { reviews, meta } = writeSample({ out: at('raw'), size: 'tiny' });
  await filterStage({ reviews, meta, out: folder, dataset: 'tiny' });
  await embedItems({ data: folder });
  await sidStage({ embeddings: at('tiny.emb-lsa.npy'), codebookSize: 8 });
  const start = { data: folder, index: at('tiny.index.json'), run: at('sft'), validRows: 10 };
  ({ model } = await sft({ ...start, model: 'qwen2:32x1', epochs: 1, batchSize: 8, precision: 'float32' }));
});

const run = (processes: number, command: string, ...flags: string[]): Promise<Ended[]> =>
  startAll(
    processes,
    ['dist/cli.js', command, '--data', folder, '--model', model, '--precision', 'float32', '--json', ...flags],
    processes === 1 ? { env: { TF_CONFIG: '' } } : {},
  );

const errors = (all: readonly Ended[]): string[] => all.map(({ status, err }) => (status === 0 ? '' : err));

clusterTest('evaluate: one, two and three processes write the same file and measure the same', async () => {
  const reports: Record<string, unknown>[] = [];
  for (const processes of [1, 2, 3]) {
    const file = at(`of-${processes}.jsonl`);
    const all = await run(processes, 'evaluate', '--results', file, '--num-beams', '10', '--token-budget', '150');
    expect(errors(all)).toEqual(all.map(() => ''));
    expect(all.slice(1).map(({ out }) => out)).toEqual(Array(processes - 1).fill(''));
    const {
      results: _file,
      usersPerSecond: _rate,
      ...report
    } = JSON.parse(all[0]!.out.replaceAll(`of-${processes}.jsonl`, 'of-N.jsonl')) as Record<string, unknown>;
    reports.push(report);
    expect(readFileSync(file, 'utf8')).toBe(readFileSync(at('of-1.jsonl'), 'utf8'));
  }
  expect(reports[1]).toEqual(reports[0]);
  expect(reports[2]).toEqual(reports[0]);
  expect(readdirSync(folder).filter((name) => name.includes('.part'))).toEqual([]);
});

clusterTest.each([
  ['sampled', ['--temperature', '1', '--batch-size', '3']],
  ['beams', ['--num-beams', '3', '--limit', '20']],
])('generate, %s: one process and two write the same file', async (name, flags) => {
  const all = [1, 2].map((processes) => {
    const file = at(`${name}-${processes}.jsonl`);
    return run(processes, 'generate', '--task', 'sids', '--results', file, ...flags);
  });
  for (const ended of all) expect(errors(await ended).join('')).toBe('');
  const [one, two] = [1, 2].map((processes) => readFileSync(at(`${name}-${processes}.jsonl`), 'utf8'));
  expect(two).toBe(one);
  expect(existsSync(at(`${name}-2.jsonl`))).toBe(true);
});

clusterTest('a share of an evaluation is for one process', async () => {
  const all = await run(2, 'evaluate', '--results', at('shard.jsonl'), '--shard', '1/2');
  for (const { status, err } of all) {
    expect(status).toBe(1);
    expect(err).toMatch(/^sidlab: --shard: expected one process, got several[^\n]*\n$/);
  }
});

test('a command that runs in one process says so', async () => {
  const all = await startAll(2, ['dist/cli.js', 'doctor']);
  for (const { status, err } of all) {
    expect(status).toBe(1);
    expect(err).toBe('sidlab: doctor: runs in one process, but TF_CONFIG names 2; start one, without TF_CONFIG\n');
  }
});
