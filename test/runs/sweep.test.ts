/** Sweeps: which trials there are, what is run again, the best, the table and its figure. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../lib/cli/commands.js';
import { sweepCommand, type SweepReport } from '../../lib/cli/sweep-command.js';
import { toSvg } from '../../lib/figures/export-figure.js';
import { parallelCoordinates } from '../../lib/figures/parallel-coordinates.js';
import { writeNpy } from '../../lib/files/npy.js';
import { numberAt, runSweep } from '../../lib/runs/sweep/run-sweep.js';
import { sweepRows } from '../../lib/runs/sweep/sweep-rows.js';
import { parseSweep, sweepTrials, type SweepSpec } from '../../lib/runs/sweep/sweep-spec.js';
import { integer } from '../../lib/options/kinds.js';
import { defineOptions } from '../../lib/options/schema.js';
import { InputError, Interrupted } from '../../lib/support/errors.js';
import { interrupted, watchInterrupts } from '../../lib/support/interrupt.js';
import { setNoticeSink, setProgressSink } from '../../lib/support/progress.js';
import { Random } from '../../lib/support/random.js';

const dir = mkdtempSync(join(tmpdir(), 'sidlab-sweep-'));
beforeAll(() => {
  setNoticeSink(() => undefined);
  setProgressSink(() => undefined);
});
afterAll(() => {
  setNoticeSink(undefined);
  setProgressSink(undefined);
});

const BASE = { command: 'sid', options: { out: 'x/{trial}', sft: { epochs: 3 } }, metrics: ['a.b', 'c'] };
const spec = (more: object): SweepSpec => parseSweep({ ...BASE, ...more }, 's.json');

describe('trials', () => {
  test('a grid: every combination, the last option fastest, each in a folder of its own', () => {
    const trials = sweepTrials(spec({ grid: { 'sft.rate': [1, 2], k: ['x', [3, 4]] } }));
    expect(trials.map(({ varied }) => varied)).toEqual([
      ...[1, 2].flatMap((rate) => ['x', [3, 4]].map((k) => ({ 'sft.rate': rate, k }))),
    ]);
    for (const { name, options, varied } of trials) {
      expect(options).toEqual({ out: `x/${name}`, sft: { epochs: 3, rate: varied['sft.rate'] }, k: varied.k });
    }
    expect(new Set(trials.map(({ name }) => name)).size).toBe(4);
    // a trial keeps its name when the grid grows
    const more = sweepTrials(spec({ grid: { 'sft.rate': [0, 1, 2], k: ['x', [3, 4]] } }));
    expect(more.map(({ name }) => name)).toEqual(expect.arrayContaining(trials.map(({ name }) => name)));
  });

  test('values that are equal make one trial', () =>
    expect(sweepTrials(spec({ grid: { k: [1, 1] } }))).toHaveLength(1));

  test('draws: by the seed, within their bounds, evenly in the logarithm', () => {
    const random = { rate: { min: 1e-4, max: 1e-2, log: true }, size: { min: 1, max: 3, whole: true }, x: ['a', 'b'] };
    const of = (seed: number, trials = 400) => sweepTrials(spec({ random, trials, seed })).map(({ varied }) => varied);
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
    expect(of(1, 5)).toEqual(of(1, 400).slice(0, 5)); // more trials go on with those before
    const all = of(1) as { rate: number; size: number; x: string }[];
    expect(all.every(({ rate }) => rate >= 1e-4 && rate <= 1e-2)).toBe(true);
    const below = all.filter(({ rate }) => rate < 1e-3).length / all.length;
    expect(Math.abs(below - 0.5)).toBeLessThan(0.1);
    expect([...new Set(all.map(({ size }) => size))].sort()).toEqual([1, 2, 3]);
    expect(new Set(all.map(({ x }) => x)).size).toBe(2);
  });

  test('draws of whole numbers evenly in the logarithm; four digits never beyond an end', () => {
    const random = {
      size: { min: 1, max: 1023, log: true, whole: true },
      share: { min: 0.99996, max: 0.99999 },
      x: { min: 0, max: 1 },
    };
    const all = sweepTrials(spec({ random, trials: 1000 })).map(({ varied }) => varied) as { size: number; share: number }[]; // prettier-ignore
    expect(all.every(({ size }) => Number.isInteger(size) && size >= 1 && size <= 1023)).toBe(true);
    // as many below 32 as from there on: 5 of 10 doublings
    expect(Math.abs(all.filter(({ size }) => size < 32).length / all.length - 0.5)).toBeLessThan(0.05);
    expect(all.every(({ share }) => share >= 0.99996 && share <= 0.99999)).toBe(true);
  });

  test.each([
    [[], 'expected an object {command'],
    [{ ...BASE }, 'expected either grid or random'],
    [{ ...BASE, grid: { k: [1] }, random: { k: [1] } }, 'expected either grid or random'],
    [{ ...BASE, grid: {} }, 'expected options that vary'],
    [{ ...BASE, grid: { k: [] } }, 'expected k to be a list of values'],
    [{ ...BASE, grid: { k: { min: 1, max: 2 } } }, 'expected k to be a list of values'],
    [{ ...BASE, random: { k: { min: 0, max: 2, log: true } } }, 'or {min, max} (log: above 0)'],
    [{ ...BASE, random: { k: { min: 3, max: 2 } } }, 'expected k to be'],
    [{ ...BASE, random: { k: { min: 0.5, max: 2, whole: true } } }, 'expected k to be'],
    [{ ...BASE, grid: { k: [1] }, metrics: [] }, 'expected metrics to be a list of names'],
    [{ ...BASE, grid: { k: [1] }, goal: 'up' }, 'expected goal to be max or min, got "up"'],
    [{ ...BASE, grid: { k: [1] }, trials: 0 }, 'expected trials to be a whole number from 1'],
    [{ ...BASE, grid: { k: [1] }, gird: 1 }, 'unknown key gird'],
    [{ ...BASE, grid: { k: [1] }, command: 3 }, 'expected command'],
  ])('%j', (raw, message) => expect(() => parseSweep(raw, 's.json')).toThrow(message));
});

test.each([
  ['a.b', 1],
  ['item.HR@10', 2],
  ['valid NDCG@0.5', 3],
  ['item', undefined],
  ['none', undefined],
  ['text', undefined],
])('the number at %s', (path, value) => {
  expect(numberAt({ a: { b: 1 }, item: { 'HR@10': 2 }, 'valid NDCG@0.5': 3, text: 'x' }, path)).toBe(value);
});

describe('running', () => {
  const file = join(dir, 'sweep.jsonl');
  const grid = { k: [1, 2, 3] };
  const ran: unknown[] = [];
  const run = ({ varied }: { varied: Record<string, unknown> }): unknown => {
    ran.push(varied.k);
    if (varied.k === 2 && ran.length < 4) throw new InputError('two is not ready');
    return { a: { b: -(varied.k as number) }, c: 1 };
  };

  test('one that fails does not stop the others; the best is first', async () => {
    const result = await runSweep(spec({ grid }), file, { run });
    expect(ran).toEqual([1, 2, 3]);
    expect(result).toMatchObject({ ran: 3, kept: 0, failed: 1, best: { varied: { k: 1 } } });
    expect(result.trials.map(({ varied }) => varied.k)).toEqual([1, 3, 2]);
    expect(result.trials[2]!.error).toBe('two is not ready');
    expect(sweepRows(result.trials, BASE)[2]).toMatchObject({ k: 2, 'a.b': '', error: 'two is not ready' });
  });

  test('again: what failed, what is new, and what lacks a metric; a cut line is run again', async () => {
    const min = { goal: 'min' };
    expect(await runSweep(spec({ grid, ...min }), file, { run })).toMatchObject({ ran: 1, kept: 2, failed: 0 });
    expect(ran).toEqual([1, 2, 3, 2]);
    const four = await runSweep(spec({ grid: { k: [1, 2, 3, 4] }, ...min }), file, { run });
    expect(four).toMatchObject({ ran: 1, kept: 3, best: { varied: { k: 4 } } });
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, -15));
    expect(await runSweep(spec({ grid: { k: [4] } }), file, { run })).toMatchObject({ ran: 1, kept: 0 });
    expect(await runSweep(spec({ grid, metrics: ['c', 'd'] }), file, { run })).toMatchObject({ ran: 3, kept: 0 });
  });

  test('a metric that no report has is said once for each trial, with those that there are', async () => {
    const result = await runSweep(spec({ grid, metrics: ['zzz'] }), join(dir, 'none.jsonl'), { run });
    expect(result.failed).toBe(3);
    expect(result.best).toBeUndefined();
    expect(result.trials[0]!.error).toBe('sweep: expected metrics of the report (a.b, c), got zzz');
  });

  test('a defect is no failed trial', async () => {
    const broken = { run: () => [].at(1)! as number, stop: () => false };
    const thrown = { ...broken, run: () => { throw new TypeError('defect'); } }; // prettier-ignore
    await expect(runSweep(spec({ grid }), join(dir, 'defect.jsonl'), thrown)).rejects.toThrow(TypeError);
  });

  test('an interrupt stops the sweep, and its trial is run again', async () => {
    const at = join(dir, 'interrupted.jsonl');
    const pressed = ({ varied }: { varied: Record<string, unknown> }): unknown => {
      if (varied.k === 2) throw new Interrupted('sft: interrupted at step 3');
      return run({ varied });
    };
    await expect(runSweep(spec({ grid }), at, { run: pressed })).rejects.toThrow('interrupted at step 3');
    expect(readFileSync(at, 'utf8').trim().split('\n')).toHaveLength(1);
    expect(await runSweep(spec({ grid }), at, { run })).toMatchObject({ ran: 2, kept: 1, failed: 0 });
  });

  test('whatever is interrupted says so in a way that is no failure', () => {
    const sources = readdirSync('lib', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const thrown = sources.flatMap((name) => [
      ...readFileSync(join('lib', name), 'utf8').matchAll(/throw new (\w+)\(\s*[`'][^`'\n]*\binterrupted\b/g),
    ]);
    expect(thrown.length).toBeGreaterThanOrEqual(5);
    expect(new Set(thrown.map(([, error]) => error))).toEqual(new Set(['Interrupted']));
  });

  test('what another command gave is not kept; a line that names none is', async () => {
    const at = join(dir, 'commands.jsonl');
    await runSweep(spec({ grid }), at, { run });
    const other = { ...spec({ grid }), command: 'sid quality' };
    expect(await runSweep(other, at, { run: () => ({ a: { b: 9 }, c: 9 }) })).toMatchObject({ ran: 3, kept: 0 });
    expect(await runSweep(other, at, { run })).toMatchObject({ ran: 0, kept: 3, best: { metrics: { 'a.b': 9 } } });
    writeFileSync(at, readFileSync(at, 'utf8').replaceAll('"command":"sid quality",', ''));
    expect(await runSweep(spec({ grid }), at, { run })).toMatchObject({ ran: 0, kept: 3 });
  });

  test('stopped between trials, it goes on where it was', async () => {
    const at = join(dir, 'stopped.jsonl');
    let left = 2;
    expect(await runSweep(spec({ grid }), at, { run, stop: () => left-- === 0 })).toMatchObject({ ran: 2 });
    expect(await runSweep(spec({ grid }), at, { run })).toMatchObject({ ran: 1, kept: 2 });
  });
});

describe('the command', () => {
  const embeddings = join(dir, 'x.npy');
  const random = new Random(3);
  writeNpy(embeddings, { rows: 60, width: 4, data: Float32Array.from({ length: 240 }, () => random.normal()) });
  const write = (sweep: object): string => {
    const path = join(dir, 'sweep.json');
    writeFileSync(path, JSON.stringify(sweep));
    return path;
  };
  const options = {
    embeddings,
    method: 'rqkmeans',
    levels: 2,
    collisions: 'keep',
    index: join(dir, 'sids/{trial}/x.index.json'),
  };
  const sweep = {
    command: 'sid',
    options,
    grid: { codebookSize: [2, 4, 8] },
    metrics: ['mse', 'collision.raw'],
    goal: 'min',
  };
  const run = (path: string): Promise<SweepReport> =>
    COMMANDS.sweep!.run({ sweep: path, out: join(dir, 'out') }, {}) as Promise<SweepReport>;

  test('sweeps a codebook: more codes, less error; table and figure are there', async () => {
    const report = await run(write(sweep));
    expect(report.trials.map(({ varied }) => varied.codebookSize)).toEqual([8, 4, 2]);
    for (const path of report.files) expect(existsSync(path), path).toBe(true);
    const [header, first] = readFileSync(join(dir, 'out/sweep.csv'), 'utf8').split('\n');
    expect(header).toBe('trial,codebookSize,mse,collision.raw,seconds');
    expect(first!.split(',')[1]).toBe('8');
    expect((await run(write(sweep))).ran).toBe(0);
  });

  test('Ctrl+C in a trial ends the sweep, and the same call goes on', async () => {
    const ran: number[] = [];
    let press = true;
    const mine = {
      summary: '',
      schema: defineOptions('mine', { k: integer('k') }),
      run: ({ k }: Record<string, unknown>) => {
        ran.push(k as number);
        const release = watchInterrupts();
        if (k === 2 && press) process.emit('SIGINT');
        release();
        if (interrupted()) throw new InputError('mine: interrupted');
        return { a: k };
      },
    };
    const path = write({ command: 'mine', grid: { k: [1, 2, 3] }, metrics: ['a'] });
    const go = () => sweepCommand(() => ({ mine })).run({ sweep: path, out: join(dir, 'stopped') }, {});
    await expect(go()).rejects.toThrow(
      /^sweep: interrupted; 1 trials are in .*sweep\.jsonl; the same command goes on$/,
    );
    expect(ran).toEqual([1, 2]);
    press = false;
    expect(await go()).toMatchObject({ ran: 2, kept: 1, failed: 0 });
    expect(ran).toEqual([1, 2, 2, 3]);
  });

  test.each([
    [{ ...sweep, command: 'sdi' }, 'expected command to be one of doctor'],
    [{ ...sweep, command: 'sweep' }, 'expected command to be one of'],
    [{ ...sweep, grid: { codebookSzie: [2] } }, 'unknown option codebookSzie; did you mean codebookSize?'],
    [{ ...sweep, grid: { codebookSize: [2, 'x'] } }, 'expected codebookSize to be'],
    [{ ...sweep, options: { ...options, index: join(dir, 'one') } }, 'expected {trial} in index'],
  ])('%j', async (raw, message) => {
    await expect(run(write(raw))).rejects.toThrow(message);
  });
});

describe('parallel coordinates', () => {
  const trials = [
    { trial: 'a', rate: 1e-4, method: 'x', HR: 0.1, same: 1 },
    { trial: 'b', rate: 1e-3, method: 'y', HR: 0.3, same: 1 },
    { trial: 'c', rate: 1e-2, method: 'x', HR: 0.2, same: 1 },
  ];

  test('an axis each, numbers from bottom to top, the best line on top and darkest', () => {
    const { data, layout } = parallelCoordinates(trials, { axes: ['rate', 'method', 'HR'] });
    const lines = data.map(({ y, line }) => [y, (line as { color: string }).color]);
    const rounded = lines.map(([y, color]) => [(y as number[]).map((v) => Number(v.toFixed(3))), color]);
    expect(rounded).toEqual([
      [[0, 0, 0], '#d9d9d9'],
      [[1, 0, 0.5], '#5aa2cf'],
      [[0.5, 1, 1], '#08306b'],
    ]);
    expect((layout.annotations as { text: string }[]).map(({ text }) => text)).toEqual([
      ...['0.0001', '0.001', '0.01', 'x', 'y', '0.1', '0.2', '0.3'],
    ]);
    expect((layout.xaxis as { ticktext: string[] }).ticktext).toEqual(['rate', 'method', 'HR']);
  });

  test('where less is better the least is on top; a linear axis where it is asked for; trials without a number are left out', () => {
    const { data } = parallelCoordinates([...trials, { ...trials[0]!, HR: '' }], {
      axes: ['rate', 'HR'],
      goal: 'min',
      log: [],
    });
    expect(data).toHaveLength(3);
    expect((data.at(-1)!.text as string[])[0]).toBe('rate: 0.0001');
    const middle = data.find(({ text }) => (text as string[])[0] === 'rate: 0.001')!;
    expect((middle.y as number[])[0]).toBeCloseTo((1e-3 - 1e-4) / (1e-2 - 1e-4), 6);
  });

  test('by default what differs; it draws', async () => {
    const figure = parallelCoordinates(trials);
    expect((figure.layout.xaxis as { ticktext: string[] }).ticktext).toEqual(['trial', 'rate', 'method', 'HR']);
    const svg = await toSvg(figure);
    expect(svg).toContain('0.0001');
  });
});
