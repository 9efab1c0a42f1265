/**
 * A file read by several threads is what one thread reads, errors included. The threads are the built library's
 * (`npm test` builds it first).
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, test, vi } from 'vitest';
import fc from '../fast-check.js';
import { partBlocks } from '../../lib/evaluate/results/file-part.js';
import type * as Module from '../../lib/evaluate/results-file.js';
import { Random } from '../../lib/support/random.js';

const built = new URL('../../dist/evaluate/results-file.js', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'sidlab-parts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const random = new Random('parts');
/** Six parts of 4 MB; some lines are left to `JSON.parse`, some are empty, one is longer than a block. */
const lines = Array.from({ length: 4500 }, (_, i) => {
  if (i % 501 === 7) return '';
  const items = Array.from({ length: i === 900 ? 60_000 : 1 + random.int(400) }, (_, j) => j + random.int(9));
  const scores = items.map(() => -9 * random.next());
  const user = i % 97 === 0 ? `B\n${i}é` : `Ä${i}`;
  const result = { user, history: [random.int(99)], target: random.int(99), items, scores };
  return i % 89 === 0 ? JSON.stringify({ ...result, targetLogProbs: [-1] }, null, ' ').replaceAll('\n', '') : JSON.stringify(result); // prettier-ignore
});

async function read(path: string, threads: number): Promise<unknown> {
  const { readResults } = (await import(built.href)) as typeof Module;
  return readResults(path, threads).catch((error: Error) => `${error.constructor.name}: ${error.message}`);
}

test.skipIf(!existsSync(built))('three threads read what one reads', async () => {
  const path = join(folder, 'whole.jsonl');
  writeFileSync(path, lines.join('\n')); // no end of the last line
  const on = vi.spyOn(Worker.prototype, 'on');
  const one = await read(path, 1);
  expect(on).not.toHaveBeenCalled();
  expect(one).toHaveLength(lines.filter((line) => line !== '').length);
  const several = await read(path, 3);
  expect(on.mock.calls.filter(([event]) => (event as string) === 'message')).toHaveLength(3);
  expect(JSON.stringify(several)).toBe(JSON.stringify(one));
});

test.skipIf(!existsSync(built))('and stop where one stops', async () => {
  const path = join(folder, 'broken.jsonl');
  for (const [place, text] of [
    [4400, '{"user":"A","hist'],
    [2000, '{"user":"A","history":[1],"target":1,"items":[1],"scores":["x"]}'],
    [1999, '{"user":3}'],
  ] as const) {
    writeFileSync(path, lines.with(place, text).join('\n'));
    const one = await read(path, 1);
    expect(one).toMatch(new RegExp(`^InputError: .*broken.jsonl:${place + 1}: `));
    expect(await read(path, 3)).toBe(one);
  }
  writeFileSync(path, Buffer.concat([Buffer.from(lines.join('\n') + '\n'), Buffer.from([0xff, 10])]));
  expect(await read(path, 2)).toMatch(new RegExp(`broken.jsonl:${lines.length + 1}: expected UTF-8`));
});

const whole = (path: string, from: number, to: number): string => {
  let text = '';
  for (const block of partBlocks({ path, from, to })) text += Buffer.from(block).toString(); // its memory is used again
  return text;
};

test('however a file is cut into parts, each line is in one of them', () => {
  const path = join(folder, 'any.txt');
  const text = fc.array(
    fc.string({ maxLength: 5 }).map((line) => line.replaceAll('\n', 'é')),
    { minLength: 1 },
  );
  fc.assert(
    fc.property(text, fc.boolean(), fc.array(fc.nat(99), { maxLength: 5 }), (lines, ended, cuts) => {
      const given = lines.join('\n') + (ended ? '\n' : '');
      writeFileSync(path, given);
      const size = Buffer.byteLength(given);
      const bounds = [0, ...cuts.map((cut) => cut % (size + 1)).sort((a, b) => a - b), size];
      const parts = bounds.slice(1).map((to, i) => whole(path, bounds[i]!, to));
      expect(parts.join('')).toBe(given === '' || given.endsWith('\n') ? given : given + '\n');
      for (const part of parts) expect(part).toMatch(/^$|\n$/);
    }),
  );
});

test('lines that are longer than a block', () => {
  const path = join(folder, 'long.txt');
  const [a, b] = ['a'.repeat(2_500_000), 'b'.repeat(3_000_000)];
  writeFileSync(path, `${a}\n${b}`);
  expect(whole(path, 0, 10)).toBe(`${a}\n`);
  expect(whole(path, 10, 2_500_000)).toBe('');
  expect(whole(path, 2_500_001, 5_500_001)).toBe(`${b}\n`);
});
