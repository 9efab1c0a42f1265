/**
 * A file read by two threads is what one thread reads, errors included. The second thread is the built library's
 * (`npm test` builds it first); that it ran is seen by the bytes that it sends.
 */
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Worker } from 'node:worker_threads';
import { expect, test, vi } from 'vitest';
import { InteractionsBuilder } from '../../lib/data/raw/interactions.js';
import { Random } from '../../lib/support/random.js';
import type * as Module from '../../lib/data/raw/read-json-lines.js';

const built = new URL('../../dist/data/raw/read-json-lines.js', import.meta.url);
const FIELDS = { user: 'reviewerID', item: 'asin', time: 'unixReviewTime', stars: 'overall' };
const folder = mkdtempSync(join(tmpdir(), 'sidlab-lines-'));
const random = new Random('lines');

/** Half a megabyte and more: several blocks; some lines are left to `JSON.parse`, some are empty. */
const lines = Array.from({ length: 4000 }, (_, i) => {
  const user = i % 97 === 0 ? `B\\u00e9${random.int(50)}` : `A${random.int(1000)}`;
  const text = 'x'.repeat(random.int(300));
  return i % 501 === 0
    ? ''
    : `{"overall": ${1 + random.int(5)}.0, "reviewText": "${text}", "reviewerID": "${user}", "asin": "I${random.int(300)}", "unixReviewTime": ${1.4e9 + random.int(1e6)}}`;
});

function write(name: string, of: readonly string[], end?: number): string {
  const path = join(folder, name);
  writeFileSync(path, gzipSync(of.join('\n')).subarray(0, end));
  return path;
}

async function read(path: string, threads: number): Promise<unknown> {
  const { readJsonLines } = (await import(built.href)) as typeof Module;
  try {
    const builder = new InteractionsBuilder();
    await readJsonLines(path, FIELDS, builder, threads);
    const { users, items, times, stars, userNames, itemNames } = builder.done();
    const names = { userNames: userNames.list(), itemNames: itemNames.list() };
    return { users: [...users], items: [...items], times: [...times], stars: [...stars], ...names };
  } catch (error) {
    return { name: (error as Error).constructor.name, message: (error as Error).message };
  }
}

test.skipIf(!existsSync(built))('two threads read what one reads', async () => {
  const path = write('whole.jsonl.gz', lines);
  const post = vi.spyOn(Worker.prototype, 'postMessage');
  const one = await read(path, 1);
  expect(post).not.toHaveBeenCalled();
  expect(await read(path, 2)).toEqual(one);
  expect(post.mock.calls.length).toBeGreaterThan(1); // a block taken, another asked for
  expect((one as { users: number[] }).users).toHaveLength(lines.filter((line) => line !== '').length);
});

test.skipIf(!existsSync(built))('and stop where one stops', async () => {
  const broken = lines.map((line, i) => (i === 3000 ? '{"reviewerID": "A1"' : line));
  const paths = [write('broken.jsonl.gz', broken), write('cut.jsonl.gz', lines, -2000), join(folder, 'none.gz')];
  for (const path of paths) {
    const one = (await read(path, 1)) as { name: string; message: string };
    expect(one.name).toBe('InputError');
    expect(await read(path, 2)).toEqual(one);
  }
  expect(await read(paths[0]!, 2)).toMatchObject({
    message: expect.stringContaining(':3001: not valid JSON') as string,
  });
});
