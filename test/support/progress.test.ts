/** The progress line: numbers, units, and when it is shown. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  duration,
  progressLine,
  type ProgressState,
  setProgressSink,
  startProgress,
} from '../../lib/support/progress.js';

test.each([
  [0, '0 s'],
  [-3, '0 s'],
  [59.4, '59 s'],
  [59.6, '1 min 0 s'],
  [95, '1 min 35 s'],
  [3599, '59 min 59 s'],
  [3600, '1 h 0 min'],
  [3 * 3600 + 125, '3 h 2 min'],
])('%f seconds are %s', (seconds, text) => expect(duration(seconds)).toBe(text));

const state: ProgressState = {
  ...{ label: 'sft', done: 120, total: 400, unit: 'steps', seconds: 40, note: 'loss 2.31', finished: false },
};

test.each<[Partial<ProgressState>, string]>([
  [{}, 'sft 120/400 steps, 3.00 steps/s, 1 min 33 s left, loss 2.31'],
  [{ note: '' }, 'sft 120/400 steps, 3.00 steps/s, 1 min 33 s left'],
  [{ total: 0 }, 'sft 120 steps, 3.00 steps/s, 40 s, loss 2.31'],
  [{ total: 1, done: 1, finished: true }, 'sft 1/1 steps, 0.0250 steps/s, 40 s in all, loss 2.31'],
  [{ done: 0 }, 'sft 0/400 steps, 0.00 steps/s, 40 s, loss 2.31'],
  [{ finished: true, done: 400 }, 'sft 400/400 steps, 10.0 steps/s, 40 s in all, loss 2.31'],
])('with %j: %s', (more, line) => expect(progressLine({ ...state, ...more })).toBe(line));

const shown: ProgressState[] = [];
beforeEach(() => {
  vi.useFakeTimers();
  shown.length = 0;
  setProgressSink((given) => shown.push({ ...given }));
});
afterEach(() => {
  setProgressSink(undefined);
  vi.useRealTimers();
});

test('shown from the second second on, twice a second at most, and at the end', () => {
  vi.advanceTimersByTime(1000); // the clock does not start at 0
  const progress = startProgress('sid', 10, 'levels');
  const tickAfter = (milliseconds: number, ...given: [number?, string?]): void => {
    vi.advanceTimersByTime(milliseconds);
    progress.tick(...given);
  };
  tickAfter(1999);
  expect(shown).toEqual([]);
  tickAfter(1, 2, 'loss 1');
  tickAfter(499);
  expect(shown).toHaveLength(1);
  expect(shown[0]).toMatchObject({ done: 3, seconds: 2, note: 'loss 1', finished: false });
  tickAfter(1);
  expect(shown).toHaveLength(2);
  expect(shown[1]).toMatchObject({ done: 5, seconds: 2.5, note: 'loss 1' });
  progress.end();
  expect(shown.at(-1)).toMatchObject({ done: 5, seconds: 2.5, finished: true });
});

test('work that ends within two seconds is not shown', () => {
  const progress = startProgress('sid', 2, 'levels');
  progress.tick(2);
  vi.advanceTimersByTime(1900);
  progress.end();
  expect(shown).toEqual([]);
});

test.each([
  [40, 'sft 3/10 steps, 1.00 steps/s, 7 s left'.slice(0, 39)],
  [undefined, 'sft 3/10 steps, 1.00 steps/s, 7 s left'],
  [5, 'sft 3/10 steps, 1.00'],
])('a terminal of %s columns: one line, rewritten, never wider', (columns, line) => {
  setProgressSink(undefined);
  const written: string[] = [];
  const { isTTY, columns: before, write } = process.stderr;
  const fake = { isTTY: true, columns, write: (text: string) => written.push(text) > 0 };
  Object.assign(process.stderr, fake);
  try {
    const progress = startProgress('sft', 10, 'steps');
    vi.advanceTimersByTime(3000);
    progress.tick(3);
    progress.end();
  } finally {
    Object.assign(process.stderr, { isTTY, columns: before, write });
  }
  expect(written[0]).toBe(`\r\x1b[2K${line}`);
  expect(written[1]!.endsWith('\n')).toBe(true);
});
