/** One code an item, and the rule by which it is the default. */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readIndex } from '../../lib/data/sid-index.js';
import { useEngine } from '../../lib/engine/engine.js';
import { writeJson } from '../../lib/files/files.js';
import { readNpy, writeNpy } from '../../lib/files/npy.js';
import { dryRun } from '../../lib/pipeline/dry-run.js';
import { PipelineStages } from '../../lib/pipeline/stages.js';
import { catalogueSizeOf, defaultMethod, withMethod } from '../../lib/sid/default-method.js';
import { extendIndex } from '../../lib/sid/extend-index.js';
import { oneCode } from '../../lib/sid/one-code.js';
import { sidStage } from '../../lib/sid/sid-stage.js';
import { Random } from '../../lib/support/random.js';

beforeAll(() => useEngine());

/** Vectors of 16 items, and beside them what `filter` counted. */
function folder(train?: number, items = 16): string {
  const random = new Random(1);
  const at = mkdtempSync(join(tmpdir(), 'sid-default-'));
  const data = Float32Array.from({ length: 64 }, () => random.normal());
  writeNpy(join(at, 'Toys.emb-lsa.npy'), { rows: 16, width: 4, data });
  if (train !== undefined) writeJson(join(at, 'Toys.stats.json'), { items, split: { train, valid: 1, test: 1 } });
  return at;
}
const vectorsOf = (at: string): string => join(at, 'Toys.emb-lsa.npy');

test.each([
  [15_566, 3541, 'rqkmeans'], // Industrial
  [11_753, 545, 'rqkmeans'], // the sample catalogue
  [39_999, 1000, 'rqkmeans'],
  [40_000, 1000, 'one-code'],
  [78_675, 1349, 'one-code'], // MovieLens 100K
  [800_000, 20_000, 'one-code'],
  [2_000_000, 20_001, 'rqkmeans'],
] as const)('%d rows of %d items: %s', (rows, items, method) => {
  expect(defaultMethod({ rows, items }).method).toBe(method);
});

test('the reason says the numbers', () => {
  expect(defaultMethod({ rows: 78_675, items: 1349 }).why).toBe("58.3 training rows an item, 40 or more: each item's own token is learned"); // prettier-ignore
  expect(defaultMethod({ rows: 4, items: 1 }).why).toMatch(/^4\.00 training rows an item, fewer than 40/);
  expect(defaultMethod({ rows: 2_000_000, items: 20_001 }).why).toMatch(/^20001 items, more than 20000/);
  expect(defaultMethod(undefined)).toEqual({ method: 'rqkmeans', why: 'no training rows are known' });
});

test('what filter counted is found beside the vectors', () => {
  expect(catalogueSizeOf(vectorsOf(folder(640)))).toEqual({ rows: 640, items: 16 });
  expect(catalogueSizeOf(vectorsOf(folder()))).toBeUndefined();
  expect(catalogueSizeOf(join(folder(640), 'Toys.npy'))).toBeUndefined();
});

interface Asked {
  method?: string;
  embeddings: string;
  seed?: number;
  levels?: number;
}

test('an option of residual k-means means residual k-means', () => {
  const embeddings = vectorsOf(folder(640));
  expect(withMethod<Asked>({ embeddings, seed: 3 }, embeddings).options).toEqual({
    embeddings,
    seed: 3,
    method: 'one-code',
  });
  expect(withMethod<Asked>({ embeddings, levels: 2 }, embeddings)).toEqual({ options: { embeddings, levels: 2 } });
  expect(withMethod({ method: 'rqkmeans' }, embeddings)).toEqual({ options: { method: 'rqkmeans' } });
});

test('each item has its own code, and its vector is that of the codebook', async () => {
  const embeddings = vectorsOf(folder(640));
  const report = await sidStage({ embeddings });
  expect(report).toMatchObject({
    method: 'one-code',
    levels: 1,
    codebookSize: [16],
    codesUsed: [16],
    mse: 0,
    ranked: 0,
  });
  expect(report.collision).toEqual({ raw: 0, final: 0 });
  expect(readIndex(report.index, 16)).toEqual(Array.from({ length: 16 }, (_, item) => [`<a_${item}>`]));
  expect(readNpy(report.codebooks[0]!).data).toEqual(readNpy(embeddings).data);
  expect((await sidStage({ embeddings, codebookSize: 4 })).method).toBe('rqkmeans');
  expect((await sidStage({ embeddings: vectorsOf(folder(639)) })).method).toBe('rqkmeans');
});

test('no items, no numbers, later items: one line', async () => {
  expect(() => oneCode({ rows: 0, width: 4, data: new Float32Array() })).toThrow('expected item vectors, got none');
  expect(() => oneCode({ rows: 1, width: 1, data: Float32Array.of(NaN) })).toThrow('row 0, column 0 is NaN');
  const at = folder(640);
  const { index } = await sidStage({ embeddings: vectorsOf(at) });
  writeNpy(join(at, 'more.npy'), { rows: 17, width: 4, data: new Float32Array(68).map((_, i) => readNpy(vectorsOf(at)).data[i] ?? 1) }); // prettier-ignore
  expect(() => extendIndex({ embeddings: join(at, 'more.npy'), index })).toThrow(
    'expected room for 1 items, got 0 free',
  );
});

test('a pipeline and its dry run decide by the same rule', async () => {
  const config = (out: string, sid = {}) => ({ out, dataset: 'Toys', filter: { reviews: 'package.json' }, sid });
  const dense = folder(640);
  expect((await dryRun(config(dense))).choices).toEqual(['sid method: one-code (40.0 training rows an item, 40 or more: each item\'s own token is learned)']); // prettier-ignore
  expect((await dryRun(config(folder()))).choices).toEqual(['sid method: rqkmeans, or one-code where filter leaves 40 training rows an item or more']); // prettier-ignore
  expect((await dryRun(config(dense, { levels: 2 }))).choices).toBeUndefined();
  const report = await new PipelineStages(config(dense, { seed: 7 })).sid();
  expect(report.method).toBe('one-code');
  expect(existsSync(join(dense, 'Toys.codebook-a.npy'))).toBe(true);
  expect(existsSync(join(dense, 'Toys.codebook-b.npy'))).toBe(false);
});
