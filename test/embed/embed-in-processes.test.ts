/** Texts encoded by two processes: the rows of one, whatever the batches; an error in either is one line in both. */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { encodeTexts } from '../../lib/embed/sentence/encode-texts.js';
import { clusterTest as test, inProcesses } from '../cluster/processes.js';
import { expectBuilt } from '../train/grpo/run-and-kill.js';

expectBuilt();
const partial = join(mkdtempSync(join(tmpdir(), 'sidlab-embed-')), 'rows.partial');

/** Word lengths are token ids; a row has their sum and their number. */
const ENCODER = `{
  name: 'toy', pooling: 'mean', normalize: false, maxTokens: 9, special: new Set(),
  tokenize: (texts) => ({ ids: texts.map((text) => text.split(' ').map((word) => word.length)), truncated: new Set() }),
  encode: async (batch) => {
    calls.push(batch.length);
    if (batch.some((ids) => ids.includes(fails))) throw new Error('out of luck');
    return { data: Float32Array.from(batch.flatMap((ids) => [ids.reduce((a, b) => a + Math.fround(b / 3), 0), ids.length, 0.1])), width: 3 };
  },
}`;

test('the same rows, and a run that goes on where one process failed', async () => {
  const texts = Array.from({ length: 23 }, (_, i) => `${'x'.repeat(1 + (i % 6))} ${'y '.repeat(i % 4)}z`);
  texts[20] = 'failure';
  const all = await inProcesses(
    2,
    `
    const { encodeTexts } = await import('./dist/embed/sentence/encode-texts.js');
    const texts = ${JSON.stringify(texts)};
    const calls = [];
    let fails = 7;
    const encoder = ${ENCODER};
    const options = { batchSize: 3, tokenBudget: 1000, partial: ${JSON.stringify(partial)}, key: 'k', cluster };
    say(await encodeTexts(encoder, texts, options).then(() => 'none', ({ message }) => message));
    const before = calls.length;
    fails = -1;
    const { vectors, finish, ...figures } = await encodeTexts(encoder, texts, options);
    say([calls.length - before, { ...vectors, data: [...vectors.data] }, figures]);
    await cluster.first(finish);
    `,
  );
  const calls: number[] = [];
  const make = new Function('calls', 'fails', `return ${ENCODER}`) as (calls: number[], fails: number) => never;
  const one = await encodeTexts(make(calls, -1), texts, { batchSize: 3, tokenBudget: 1000 });
  const [first, second] = all as [[string, [number, { data: number[] }, { resumed: number }]], [string, [number, { data: number[] }, { resumed: number }]]]; // prettier-ignore
  for (const [message] of all as [string][]) expect(message).toMatch(/toy failed on items .*out of luck/);
  expect(first[1][1].data).toEqual([...one.vectors.data]);
  expect(second[1][1].data).toEqual([]);
  for (const said of [first, second]) {
    expect(said[1][2]).toMatchObject({ truncated: 0, empty: 0, tokens: one.tokens });
    expect(said[1][2].resumed).toBeGreaterThan(0);
  }
  // What was left to do was shared, and nothing was done twice.
  const left = first[1][0] + second[1][0];
  expect(Math.abs(first[1][0] - second[1][0])).toBeLessThanOrEqual(1);
  expect(left).toBe(calls.length - Math.floor(first[1][2].resumed / 3));
  expect(existsSync(partial)).toBe(false);
});
