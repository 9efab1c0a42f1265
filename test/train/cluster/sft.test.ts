/**
 * Fine-tuning by several processes of the built command: the same updates as one process makes of the same parts, killed
 * and resumed with any number of processes. `SIDLAB_KILLS=50 npm test -- test/train/cluster/sft.test.ts` is the long
 * form: so many kills of random processes at random times.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect } from 'vitest';
import { filterStage } from '../../../lib/data/filter/filter-stage.js';
import { writeSample } from '../../../lib/data/sample/sample.js';
import { embedItems } from '../../../lib/embed/embed-items.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { hashFile } from '../../../lib/files/files.js';
import { parseShape } from '../../../lib/lm/config.js';
import { trainableWeights } from '../../../lib/lm/language-model.js';
import { randomWeights } from '../../../lib/lm/weights.js';
import { readMetrics } from '../../../lib/runs/metric-lines.js';
import { sidStage } from '../../../lib/sid/sid-stage.js';
import { Random } from '../../../lib/support/random.js';
import { batchGradients } from '../../../lib/train/loop/gradients.js';
import { Optimizer } from '../../../lib/train/optim/optimizer.js';
import { sftMicroBatches } from '../../../lib/train/sft/micro-batches.js';
import { clusterTest as test, type Ended, inProcesses, startAll } from '../../cluster/processes.js';
import { expectBuilt } from '../grpo/run-and-kill.js';
import { distance, interrupter, killer, weightsOf } from './runs.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-cluster-'));
const at = (run: string): string => join(folder, run);
const KILLS = Number(process.env.SIDLAB_KILLS ?? 1);

beforeAll(async () => {
  expectBuilt();
  await useEngine();
  const { reviews, meta } = writeSample({ out: join(folder, 'raw'), size: 'tiny' });
  await filterStage({ reviews, meta, out: folder, dataset: 'tiny' });
  await embedItems({ data: folder });
  await sidStage({ embeddings: join(folder, 'tiny.emb-lsa.npy'), codebookSize: 8 });
});

const flags = (run: string, ...more: string[]): string[] => [
  ...['dist/cli.js', 'sft', '--data', folder, '--run', join(folder, run), '--model', 'qwen2:32x1', '--epochs', '1'],
  ...['--batch-size', '8', '--valid-rows', '10', '--eval-steps', '3', '--precision', 'float32', '--keep-last'],
  ...['--warmup-steps', '0', '--json', ...more],
];

/** One process runs without TF_CONFIG. */
const sft = (processes: number, run: string, ...more: string[]): Promise<Ended[]> =>
  startAll(processes, flags(run, ...more), processes === 1 ? { env: { TF_CONFIG: '' } } : {});

const hashOf = (run: string): string => hashFile(join(folder, run, 'last/model.safetensors'));

test('two processes make the updates of one, bit for bit, whether or not they split the optimizer', async () => {
  const random = new Random(4);
  const examples = Array.from({ length: 9 }, () => {
    const tokens = Array.from({ length: 3 + random.int(6) }, () => random.int(20));
    return { tokens: tokens.slice(0, -1), labelPositions: [tokens.length - 2], labels: [tokens.at(-1)!] };
  });
  const all = await inProcesses(
    2,
    `
    const [{ Optimizer, batchGradients, sftMicroBatches }, { parseShape, randomWeights }, half] = await Promise.all([
      Promise.all(['optim/optimizer', 'loop/gradients', 'sft/micro-batches'].map((file) => import('./dist/train/' + file + '.js')))
        .then((all) => Object.assign({}, ...all)),
      Promise.all(['config', 'weights'].map((file) => import('./dist/lm/' + file + '.js'))).then((all) => Object.assign({}, ...all)),
      import('./dist/ops/bfloat16.js'),
    ]);
    const config = parseShape('qwen2:32x1', 20, 0);
    const examples = ${JSON.stringify(examples)};
    for (const [optimizer, sharding] of [['adamw'], ['muon'], ['adamw', cluster], ['muon', cluster]]) {
      const model = { config, weights: randomWeights(config, 1) };
      const made = new Optimizer(model.weights, { optimizer, sharding, sumGradients: (all) => cluster.sum(all) });
      for (let step = 1; step <= 5; step++) {
        const { gradients } = batchGradients(model, sftMicroBatches(model, examples, { tokenBudget: 1000, share: cluster }));
        made.apply(gradients, step, 1e-2);
        tf.dispose([...gradients.values()]);
      }
      say([...model.weights].map(([name, weight]) => [name, [...weight.dataSync()]]));
      say(made.variables.reduce((sum, { size }) => sum + size, 0));
      const written = [];
      if (sharding) made.shared().save(cluster.isFirst ? (arrays) => arrays.forEach((a) => written.push(...a.read())) : undefined);
      else for (const { read } of made.save().values()) written.push(...read());
      say(written);
    }
    const exact = tf.tensor1d(Array.from({ length: 1000 }, (_, i) => Math.sin(1 + i + 7 * cluster.rank)));
    const [rough] = cluster.sum([exact.clone()], { narrow: half.toBfloat16, widen: half.fromBfloat16 });
    say([...rough.dataSync()]);
    say([...cluster.sum([exact])[0].dataSync()]);
    `,
  );
  const config = parseShape('qwen2:32x1', 20, 0);
  ['adamw', 'muon'].forEach((name, o) => {
    const model = { config, weights: randomWeights(config, 1) };
    const optimizer = name as 'adamw' | 'muon';
    const one = new Optimizer(trainableWeights(model), { optimizer });
    for (let step = 1; step <= 5; step++) {
      const parts = [0, 1].flatMap((rank) =>
        sftMicroBatches(model, examples, { tokenBudget: 1000, share: { rank, size: 2 } }),
      );
      expect(parts).toHaveLength(2);
      const { gradients } = batchGradients(model, parts);
      one.apply(gradients, step, 1e-2);
      tf.dispose([...gradients.values()]);
    }
    const expected = [...model.weights].map(([name, weight]) => [name, [...weight.dataSync()]]);
    const state = [...one.save().values()].flatMap(({ read }) => [...read()]);
    for (const [rank, said] of all.entries()) {
      expect(said[3 * o], name).toEqual(expected);
      expect(said[3 * (o + 2)], `${name}, split`).toEqual(expected);
      expect(said[3 * (o + 2) + 2]).toEqual(rank === 0 ? state : []); // one file holds the state of both
    }
    const held = all.map((said) => said[3 * (o + 2) + 1] as number);
    expect(held[0]! + held[1]!).toBe(all[0]![3 * o + 1]);
    if (name === 'muon') expect(Math.max(...held)).toBeLessThan(state.length); // AdamW's small parameters are one vector
  });
  const [rough, exact] = all[0]!.slice(-2) as [number[], number[]];
  const far = distance(Float32Array.from(exact), Float32Array.from(rough));
  process.stdout.write(`sums of two in bfloat16: ${far.toExponential(2)} in the norm\n`);
  expect(far).toBeLessThan(2 ** -8);
  expect(far).toBeGreaterThan(2 ** -12);
  expect(all[1]!.at(-2)).toEqual(rough);
});

test('two processes end where one does, and metrics are of the whole batch', async () => {
  const two = await sft(2, 'two', '--dropout', '0');
  expect(two.map(({ status }) => status)).toEqual([0, 0]);
  expect(two[1]!.err).toBe(''); // process 0 alone tells what goes on
  expect(two[1]!.out).toBe(''); // the result is printed once
  const report = JSON.parse(two[0]!.out) as { steps: number; best: { step: number } };
  await sft(1, 'one', '--dropout', '0');
  const far = distance(weightsOf(at('one')), weightsOf(at('two')));
  process.stdout.write(`two processes from one: ${far.toExponential(2)} in the norm\n`);
  expect(far).toBeLessThan(1e-6);
  const [a, b] = ['one', 'two'].map((run) => readMetrics(join(folder, run, 'metrics.jsonl')));
  expect(b!.map(({ step }) => step)).toEqual(a!.map(({ step }) => step));
  expect(report.steps).toBe(a!.at(-1)!.step);
  b!.forEach((line, i) => {
    for (const name of ['loss', 'norm', 'valid loss']) {
      if (line[name] !== undefined) expect(line[name]).toBeCloseTo(a![i]![name]!, 4);
    }
  });
});

test(
  'killed at random, it ends on the same bits',
  async () => {
    await sft(2, 'whole', '--dropout', '0.2'); // masks are each process's own, and the same again
    const random = new Random(`kills ${KILLS}`);
    let kills = 0;
    for (let n = 0; kills < KILLS; n++) {
      const run = `killed ${n}`;
      for (let left = Math.min(5, KILLS - kills); !existsSync(join(at(run), 'card.json')); left--) {
        const victim = left > 0 ? random.int(2) : -1;
        const split = left % 2 === 1 ? ['--shard-optimizer'] : []; // either way it is the same run
        const all = await startAll(
          2,
          flags(run, '--dropout', '0.2', ...split),
          killer(at(run), victim, 1 + random.int(5)),
        );
        const killed = all.some(({ signal }) => signal === 'SIGKILL');
        kills += Number(killed);
        const other = all[1 - victim];
        if (killed && other?.status !== 0) expect(other?.err).toMatch(/^sidlab: (cluster|process \d): [^\n]+$/m);
        expect(left, 'a run that nobody kills ends').toBeGreaterThan(-2);
      }
      expect(hashOf(run)).toBe(hashOf('whole'));
    }
    process.stdout.write(`${kills} kills\n`);
  },
  KILLS > 1 ? KILLS * 60_000 : undefined, // the long form
);

test('Ctrl-C on one process stops all at one step, saved; one process ends it close to where it would have come alone', async () => {
  const all = await startAll(
    2,
    flags('stopped', '--dropout', '0', '--shard-optimizer'),
    interrupter(at('stopped'), [1]),
  );
  expect(all.map(({ status }) => status)).toEqual([1, 1]);
  for (const { err } of all) expect(err).toMatch(/^sidlab: sft: interrupted at step \d+; saved in [^\n]+$/m);
  await sft(1, 'stopped', '--dropout', '0');
  expect(distance(weightsOf(at('one')), weightsOf(at('stopped')))).toBeLessThan(1e-6);
});

test('other options, rows or files in one process are one line in all, before anything is written', async () => {
  const rows = mkdtempSync(join(tmpdir(), 'sidlab-cluster-other-'));
  cpSync(folder, rows, { recursive: true, filter: (name) => name === folder || name.includes('tiny.') });
  const lines = readFileSync(join(rows, 'tiny.train.inter'), 'utf8').split('\n');
  writeFileSync(join(rows, 'tiny.train.inter'), lines.filter((_, i) => i !== 3).join('\n'));
  const given = { data: folder, run: at('differ'), model: 'qwen2:32x1', epochs: 1 };
  const own = [{ dropout: 0.1 }, { index: 'none.json' }, { data: rows }];
  const [first, second] = await inProcesses(
    2,
    `const { sft } = await import('./dist/train/index.js');
    for (const own of ${JSON.stringify(own)}) {
      say(await sft({ ...${JSON.stringify(given)}, ...(cluster.isFirst ? {} : own) }).catch(({ message }) => message));
    }`,
  );
  const same = (what: string): RegExp =>
    new RegExp(`^cluster: expected the same ${what} in all processes, got [^\n]+; start all with [^\n]+$`);
  expect(first![0]).toMatch(same('dropout'));
  expect(first![1]).toMatch(/^process 1: none\.json[^\n]*$/);
  expect(first![2]).toMatch(same('tiny.train.inter'));
  expect(second).toEqual([first![0], (first![1] as string).replace('process 1: ', ''), first![2]]);
  expect(existsSync(at('differ'))).toBe(false);
});

test('a full disk, then Ctrl-C on all: a line in each, and the same bits in the end', async () => {
  const more = ['--dropout', '0.2']; // as the run that nothing befell
  const full = [
    "import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module';",
    'const { writeSync } = fs;',
    'fs.writeSync = (...given) => {',
    `  if (!fs.existsSync(${JSON.stringify(join(at('faults'), 'checkpoint-3'))})) return writeSync(...given);`,
    "  throw Object.assign(new Error('ENOSPC: no space left on device, write'), { syscall: 'write' });",
    '}; syncBuiltinESMExports();',
  ].join('\n');
  const url = `data:text/javascript,${encodeURIComponent(full)}`;
  const [a, b] = await startAll(2, (rank) => [...(rank === 0 ? ['--import', url] : []), ...flags('faults', ...more)]);
  expect([a!.status, b!.status]).toEqual([1, 1]);
  expect(a!.err).toMatch(/^sidlab: [^\n]+ cannot be written \(ENOSPC: no space left on device, write\); [^\n]+$/m);
  expect(b!.err).toMatch(/^sidlab: process 0: [^\n]+ cannot be written \(ENOSPC[^\n]+\n$/);
  expect(existsSync(join(at('faults'), 'checkpoint-3'))).toBe(true);
  const stopped = await startAll(2, flags('faults', ...more), interrupter(at('faults'), [0, 1]));
  expect(stopped.map(({ status }) => status)).toEqual([1, 1]);
  for (const { err } of stopped) expect(err).toMatch(/^sidlab: sft: interrupted at step \d+; saved in [^\n]+$/m);
  await sft(2, 'faults', ...more);
  expect(hashOf('faults')).toBe(hashOf('whole'));
});
