/**
 * `sid` in several processes of the built package. k-means and balanced k-means end on the bytes of one process; RQ-VAEs
 * on the same bits with the same number of processes, stopped and resumed or not, and close to one process's.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { hashFile } from '../../../lib/files/files.js';
import { writeNpy } from '../../../lib/files/npy.js';
import { readSafetensors } from '../../../lib/files/safetensors.js';
import { readMetrics } from '../../../lib/runs/metric-lines.js';
import { type SidReport, sidStage } from '../../../lib/sid/sid-stage.js';
import { Random } from '../../../lib/support/random.js';
import { clusterTest as test, inProcesses, startAll } from '../../cluster/processes.js';
import { distance } from '../../train/cluster/runs.js';
import { expectBuilt } from '../../train/grpo/run-and-kill.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-cluster-sid-'));
const file = (name: string): string => join(folder, name);
const embeddings = file('items.npy');

/** More than a million products an iteration, so that k-means is the kit's own; clusters, so that it has something to find. */
const [ROWS, WIDTH] = [301, 48];

beforeAll(async () => {
  expectBuilt();
  await useEngine();
  const random = new Random(7);
  const middles = Float32Array.from({ length: 90 * WIDTH }, () => 3 * random.normal());
  const data = Float32Array.from(
    { length: ROWS * WIDTH },
    (_, at) => middles[(Math.floor(at / WIDTH) % 90) * WIDTH + (at % WIDTH)]! + random.normal(),
  );
  writeNpy(embeddings, { rows: ROWS, width: WIDTH, data });
  writeNpy(file('other.npy'), { rows: ROWS, width: WIDTH, data: data.map((x) => x + 1) });
});

const LEVELS = { levels: 2, codebookSize: [80, 40] };
/** 301 rows in batches of 100: of the last batch some processes have no row. */
const TRAINED = {
  ...{ levels: 2, codebookSize: [20, 16], hidden: [20], latent: 6, epochs: 4, batchSize: 100, kmeansIterations: 20 },
  ...{ autoencoderEpochs: 1, deadCodeEpochs: 2, evalEpochs: 2 },
};

const CLUSTERED = {
  rqkmeans: { method: 'rqkmeans', ...LEVELS },
  uniform: { method: 'rqkmeans', ...LEVELS, uniform: true, init: 'best', iterations: 5, collisions: 'keep' },
  constrained: { method: 'rqkmeans-constrained', ...LEVELS },
} as const;

const LEARNED = {
  // not AdamW, to which twice the gradient is the same gradient
  rqvae: { method: 'rqvae', ...TRAINED, optimizer: 'sgd', maxGradNorm: 0, learningRate: 0.05 },
  ema: { method: 'rqvae', ...TRAINED, codebookUpdate: 'ema', estimator: 'rotation', reconstructionLoss: 'l1' },
  plus: { method: 'rqkmeans-plus', ...TRAINED, autoencoderEpochs: 0, latent: WIDTH, learningRate: 1e-4 },
} as const;

/** Its numbers differ with the number of processes: masks and noise are each process's own. */
const NOISY = { method: 'rqvae', ...TRAINED, dropout: 0.1, estimator: 'gumbel', gumbelTemperature: 1 } as const;

const index = (name: string): string => file(`${name}.index.json`);
const reported = ({ mse, collision, codesUsed, clusterSize, items }: SidReport) => ({
  ...{ mse, collision, codesUsed, clusterSize, items },
});

/** What is made of `runs` in processes, and said by all of them. */
const stages = (runs: Record<string, object>): string => `
  const { sidStage } = await import('./dist/sid/index.js');
  const raised = async (work) => { try { await work(); return 'none'; } catch (error) { return error.message; } };
  const run = async (name, given) => sidStage({
    embeddings: ${JSON.stringify(embeddings)}, index: ${JSON.stringify(folder)} + '/' + name + '.index.json', ...given,
  });
  for (const [name, given] of Object.entries(${JSON.stringify(runs)})) say(await run(name, given));
`;

function expectSameFiles(a: string, b: string, ...endings: string[]): void {
  for (const ending of endings) {
    expect(hashFile(file(b + ending)), `${b}${ending}`).toBe(hashFile(file(a + ending)));
  }
}

const named = (runs: object, prefix: string): Record<string, object> =>
  Object.fromEntries(Object.entries(runs).map(([name, given]) => [`${prefix} ${name}`, given as object]));

const weightsOf = (name: string): Float32Array =>
  Float32Array.from([...readSafetensors(file(`${name}.sid.safetensors`)).values()].flatMap(({ data }) => [...data]));

test('two processes: k-means to the byte, RQ-VAEs to rounding; stopped and resumed to the bit; refusals in a line', async () => {
  const run = file('run');
  const runs = {
    ...named(CLUSTERED, 'two'),
    ...named(LEARNED, 'two'),
    'two rqvae': { ...LEARNED.rqvae, run: file('run of two') },
    'two noisy': NOISY,
  };
  const [first, second] = await inProcesses(
    2,
    `
    ${stages(runs)}
    const noisy = { ...${JSON.stringify(NOISY)}, run: ${JSON.stringify(run)} };
    const stopping = (lines) => void (lines.length === 3 && cluster.rank === 1 && process.emit('SIGINT'));
    say(await raised(() => run('stopped', { ...noisy, onLog: stopping })));
    say(await run('stopped', noisy));
    say(await raised(() => run('none', { method: 'letter', ...${JSON.stringify(TRAINED)} })));
    for (const more of [{ batchNorm: true }, { sinkhornEpsilon: 0.1 }, { balanceWeight: 0.1 }]) {
      say(await raised(() => run('none', { ...noisy, ...more })));
    }
    const other = { embeddings: ${JSON.stringify(folder)} + (cluster.isFirst ? '/items.npy' : '/other.npy') };
    say(await raised(() => run('none', { method: 'rqkmeans', ...other })));
    say(await raised(() => run('none', { method: 'rqkmeans', seed: cluster.rank })));
    say(await raised(() => run('none', { method: 'rqkmeans', embeddings: cluster.isFirst ? 'x.npy' : ${JSON.stringify(embeddings)} })));
    `,
  );
  const count = Object.keys(runs).length;
  const reports = first!.slice(0, count) as SidReport[];
  expect((second!.slice(0, count) as SidReport[]).map(reported)).toEqual(reports.map(reported));
  for (const [name, given] of Object.entries(CLUSTERED)) {
    const one = await sidStage({ embeddings, index: index(`one ${name}`), ...given });
    expect(reported(reports.shift()!)).toEqual(reported(one));
    expectSameFiles(`one ${name}`, `two ${name}`, '.index.json', '.codebook-a.npy', '.codebook-b.npy');
  }
  for (const [name, given] of Object.entries(LEARNED)) {
    const one = await sidStage({ embeddings, index: index(`one ${name}`), run: file(`run of ${name}`), ...given });
    const two = reports.shift()!;
    const far = distance(weightsOf(`one ${name}`), weightsOf(`two ${name}`));
    process.stdout.write(`${name}, two processes from one: ${far.toExponential(2)} in the norm\n`);
    expect(far).toBeLessThan(1e-5);
    expect(two.mse).toBeCloseTo(one.mse, 5);
  }
  const [a, b] = ['rqvae', 'two'].map((of) => readMetrics(file(`run of ${of}/metrics.jsonl`)));
  expect(b!.length).toBe(4);
  b!.forEach(({ seconds: _seconds, ...line }, i) => {
    for (const [name, value] of Object.entries(line)) expect(value, name).toBeCloseTo(a![i]![name]!, 5);
  });
  const [stopped, , letter, ...refused] = first!.slice(count) as string[];
  expect(stopped).toBe(`sid: interrupted after epoch 3; saved in ${run}, run it again to resume`);
  expectSameFiles('two noisy', 'stopped', '.index.json', '.codebook-a.npy', '.sid.safetensors');
  expect(letter).toMatch(/^sid: method letter: runs in one process, but TF_CONFIG names 2; start one, .* rqkmeans, /);
  ['--batch-norm', '--sinkhorn-epsilon', '--balance-weight'].forEach((flag, i) => {
    expect(refused[i]).toMatch(new RegExp(`^sid: expected one process with ${flag}, which .*, got 2; [^\\n]+$`));
  });
  expect(refused[3]).toMatch(/^cluster: expected the same vectors in all processes, got "301 x 48 [^\n]+$/);
  expect(refused[4]).toMatch(/^cluster: expected the same seed in all processes, got 0 in process 0, 1 in process 1; /);
  expect(refused[5]).toMatch(/^x\.npy: [^\n]+$/);
  expect(second!.at(-1)).toMatch(/^process 0: x\.npy: [^\n]+$/);
});

test('three processes of the command: the same bytes again, printed once', async () => {
  const flags = [
    '--method',
    'rqkmeans',
    '--levels',
    '2',
    '--codebook-size',
    '80,40',
    '--index',
    index('three'),
    '--json',
  ];
  const all = await startAll(3, ['dist/cli.js', 'sid', '--embeddings', embeddings, ...flags]);
  expect(all.map(({ status }) => status)).toEqual([0, 0, 0]);
  expect(all.map(({ out }) => out === '')).toEqual([false, true, true]);
  expect(JSON.parse(all[0]!.out)).toMatchObject({ method: 'rqkmeans', items: ROWS });
  expectSameFiles('one rqkmeans', 'three', '.index.json', '.codebook-a.npy', '.codebook-b.npy');
});
