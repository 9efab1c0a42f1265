/** The clock of a run: seconds of training, added up over processes, pauses left out. */
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { readMetrics } from '../../../lib/runs/metric-lines.js';
import { newFolder, trainTiny } from '../tiny-task.js';

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
