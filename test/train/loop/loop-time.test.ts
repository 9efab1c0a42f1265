/** The clock of a run: seconds of training, added up over processes, pauses left out. */
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { readMetrics } from '../../../lib/runs/metric-lines.js';
import { type ProgressState, setProgressSink } from '../../../lib/support/progress.js';
import { newFolder, trainTiny, type TinyOptions } from '../tiny-task.js';

beforeAll(async () => void (await useEngine()));

/** Runs `work` and returns the seconds that it took. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

test('a run that was stopped counts the seconds of both processes, and not those between', async () => {
  const folder = newFolder();
  const onLog = (lines: readonly { step: number }[]): void => {
    if (lines.at(-1)!.step === 10) throw new Error('stopped');
  };
  const secondsAt = (step: number): number =>
    readMetrics(join(folder, 'metrics.jsonl')).find((line) => line.step === step && line.seconds !== undefined)!
      .seconds!;

  const first = await timed(() => expect(trainTiny(folder, { onLog })).rejects.toThrow('stopped'));
  const stopped = secondsAt(9); // a checkpoint follows
  expect(stopped).toBeGreaterThan(0);
  expect(stopped).toBeLessThanOrEqual(first);
  await new Promise((resolve) => setTimeout(resolve, 300));
  let report = { seconds: 0 };
  const second = await timed(async () => (report = await trainTiny(folder)));
  expect(secondsAt(10)).toBeGreaterThanOrEqual(stopped);
  expect(report.seconds).toBeGreaterThanOrEqual(secondsAt(16));
  expect(report.seconds).toBeLessThanOrEqual(first + second);
});

describe('on a clock that goes half a second a line of the log', () => {
  let now = 5000;
  const shown: ProgressState[] = [];
  const tick: TinyOptions['onLog'] = () => void (now += 500);
  beforeEach(() => {
    shown.length = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    setProgressSink((state) => shown.push({ ...state }));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    setProgressSink(undefined);
  });

  test('seconds of the log and the report, updates and tokens a second, also of a run that was stopped', async () => {
    const folder = newFolder();
    const lines = () => readMetrics(join(folder, 'metrics.jsonl'));
    const stopped = trainTiny(folder, {
      onLog(all) {
        tick(all);
        if (all.at(-1)!.step === 10) throw new Error('stopped');
      },
    });
    await expect(stopped).rejects.toThrow('stopped');
    const before = lines().find(({ step, tokens }) => step === 9 && tokens !== undefined)!.tokens!; // then a checkpoint
    expect(shown.length).toBeGreaterThan(0);
    for (const { total } of shown) expect(total).toBe(16);

    shown.length = 0;
    const report = await trainTiny(folder, { onLog: tick });
    const all = lines();
    // steps 1 to 9 and three validations, six seconds; the tenth is made again
    let seconds = 0;
    for (const line of all) {
      if (line.seconds !== undefined) expect(line.seconds, `step ${line.step}`).toBe(seconds);
      seconds += 0.5;
    }
    expect(report.seconds).toBe(seconds);

    const rates = all.slice(12).flatMap(({ tokens, loss, seconds: at }) => {
      if (tokens === undefined) return [];
      return [`loss ${loss!.toFixed(3)}, ${Math.round((tokens - before) / (at! + 0.5 - 6))} tokens/s`];
    });
    expect(rates).toHaveLength(7);
    const last = shown.at(-1)!;
    expect(last).toMatchObject({ done: 7, total: 7, unit: 'steps', finished: true });
    expect(shown.slice(0, -1).map(({ note }) => note)).toEqual(rates.slice(-(shown.length - 1)));
    expect(shown.slice(0, -1).map(({ done }) => done)).toEqual([1, 2, 3, 4, 5, 6, 7].slice(-(shown.length - 1)));
  });
});
