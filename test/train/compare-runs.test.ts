/** The runs of a folder: found, summed up, told apart, drawn. */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { runsReport } from '../../lib/cli/runs-report.js';
import { runCurves } from '../../lib/figures/run-curves.js';
import { writeJson } from '../../lib/files/files.js';
import { RunFolder } from '../../lib/runs/run-folder.js';
import { compareRuns } from '../../lib/train/report/compare-runs.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-runs-'));

/** Five steps, validated after the second and the fourth. */
function makeRun(name: string, config: Record<string, unknown>, figures: [number, number]): RunFolder {
  const run = new RunFolder(join(folder, name), { stage: 'sft', seed: 42, ...config });
  for (let step = 1; step <= 5; step++) {
    run.log({ step, loss: 6 - step, tokens: 100 * step, seconds: 0.5 * step });
    if (step % 2 === 0)
      run.log({ step, 'valid loss': figures[step / 2 - 1]!, 'valid NDCG@10': figures[step / 2 - 1]! });
  }
  return run;
}

beforeAll(() => {
  makeRun('runs/a/sft', { learningRate: 1e-3, lora: { rank: 8 } }, [0.2, 0.1]).finish({});
  makeRun('runs/b/sft', { learningRate: 3e-3, lora: { rank: 16 } }, [0.1, 0.3]).release();
  makeRun('runs/c/sft', { learningRate: 3e-3, bestMetric: 'loss' }, [0.1, 0.3]);
  writeJson(join(folder, 'runs/a/sft/model/config.json'), {}); // a model's, no run's
});

test('how far they got: finished, stopped, and still running', () => {
  const { runs } = compareRuns(folder);
  const same = { stage: 'sft', steps: 5, loss: 1, seconds: 2.5 };
  expect(runs).toEqual([
    { ...same, name: 'runs/a/sft', state: 'finished', metric: 'NDCG@10', best: 0.2, at: 2 },
    { ...same, name: 'runs/b/sft', state: 'stopped', metric: 'NDCG@10', best: 0.3, at: 4 },
    { ...same, name: 'runs/c/sft', state: 'running', metric: 'loss', best: 0.1, at: 2 },
  ]);
});

test('in what they differ: the options that are not the same in all, nested ones too', () => {
  const names = ['runs/a/sft', 'runs/b/sft', 'runs/c/sft'];
  const values = (...of: (string | null)[]): Record<string, string | null> =>
    Object.fromEntries(names.map((name, i) => [name, of[i]!]));
  expect(compareRuns(folder).differences).toEqual([
    { option: 'learningRate', values: values('0.001', '0.003', '0.003') },
    { option: 'lora.rank', values: values('8', '16', null) },
    { option: 'bestMetric', values: values(null, null, 'loss') },
  ]);
  expect(compareRuns(join(folder, 'runs/b')).differences).toEqual([]);
});

test("of a task's own loss the smallest is the best, too", () => {
  const mixed = mkdtempSync(join(tmpdir(), 'sidlab-runs-'));
  const run = new RunFolder(join(mixed, 'sft'), { stage: 'sft', bestMetric: 'loss sids' });
  [0.3, 0.1, 0.2].forEach((loss, i) => run.log({ step: i + 1, 'valid loss': 1 - loss, 'valid loss sids': loss }));
  run.release();
  expect(compareRuns(mixed).runs).toMatchObject([{ metric: 'loss sids', best: 0.1, at: 2 }]);
});

test('a metric that no run has is refused, with those that there are', async () => {
  const wrong = { data: folder, out: join(folder, 'none'), metric: 'HR@10' };
  await expect(runsReport(wrong)).rejects.toThrow('runs: expected --metric to be one of loss, NDCG@10, got HR@10');
  expect(existsSync(wrong.out)).toBe(false);
  expect((await runsReport({ ...wrong, metric: 'loss' })).figures.every((path) => existsSync(path))).toBe(true);
});

test('a folder without runs says what a run is', () => {
  const empty = mkdtempSync(join(tmpdir(), 'sidlab-runs-'));
  expect(() => compareRuns(empty)).toThrow(`${empty}: no run in it (a folder with config.json and metrics.jsonl)`);
  expect(() => compareRuns(join(empty, 'x'))).toThrow('no such folder');
});

test('curves: a dash a run, one legend entry each, validation below at its own steps', () => {
  const { curves } = compareRuns(folder);
  const { data, layout } = runCurves(curves);
  expect(data).toHaveLength(6);
  const losses = data.filter(({ yaxis }) => yaxis === undefined);
  const dashes = losses.map(({ line }) => (line as { dash: string }).dash);
  expect(new Set(dashes).size).toBe(3);
  expect(data.filter(({ showlegend }) => showlegend !== false)).toEqual(losses);
  expect(data[1]).toMatchObject({ x: [2, 4], y: [0.2, 0.1], yaxis: 'y2' });
  expect(layout.yaxis2).toMatchObject({ title: { text: 'valid NDCG@10' } });
  expect(runCurves(curves, { x: 'tokens', metric: 'valid loss' }).data[1]).toMatchObject({ x: [200, 400] });
});
