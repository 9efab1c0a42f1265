import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { readItems } from '../../lib/data/item-file.js';
import { useEngine } from '../../lib/engine/engine.js';
import type { PipelineConfig } from '../../lib/pipeline/config.js';
import { PipelineStages } from '../../lib/pipeline/stages.js';
import { Random } from '../../lib/support/random.js';

const TINY = 'test/golden/tiny-encoder';

let out: string;

beforeAll(async () => void (await useEngine()));
beforeEach(() => void (out = mkdtempSync(join(tmpdir(), 'pipeline-'))));

/** Orders of a shop under column names of its own. */
function orders(): string {
  const random = new Random(4);
  const lines = Array.from({ length: 400 }, (_, i) => `c${random.int(40)},s${random.int(24)},${1.5e9 + i * 3600}`);
  const file = join(out, 'orders.csv');
  writeFileSync(file, ['customer,sku,bought_at', ...lines].join('\n') + '\n');
  return file;
}

const COLUMNS = 'user=customer,item=sku,time=bought_at';

test('a table with columns of its own, and no item texts: placeholders, as filter has them', async () => {
  const filter = { reviews: orders(), format: 'csv', columns: COLUMNS, userK: 2, itemK: 1 } as const;
  const config: PipelineConfig = { out, dataset: 'shop', filter, sid: { codebookSize: 8 } };
  const stages = new PipelineStages(config);
  expect(stages.raw).toEqual({ reviews: filter.reviews });
  expect(await stages.filter()).toMatchObject({ format: 'csv', texts: false, users: 40, items: 24 });
  expect(readItems(join(out, 'shop.item.json'))[0]!.title).toMatch(/^item s\d+$/);
  expect((await stages.embed()).items).toBe(24);
  const sid = await stages.sid();
  expect(sid.collision.final).toBe(0);
  await stages.convert();
  expect(readFileSync(join(out, 'info/shop.txt'), 'utf8')).toContain('item s');
  expect(() => new PipelineStages({ out, dataset: 'none' }).filter()).toThrow('pipeline: expected --reviews');
  // again nothing is done, until a file that quality and later items need is gone
  expect((await new PipelineStages(config).sid()).seconds).toBe(sid.seconds);
  rmSync(join(out, 'shop.sid.json'));
  expect((await new PipelineStages(config).sid()).seconds).not.toBe(sid.seconds);
  expect(existsSync(join(out, 'shop.sid.json'))).toBe(true);
});

test('again: SIDs with a run folder are trained anew, on other data too; the old run is kept', async () => {
  const filter = { reviews: orders(), columns: COLUMNS, userK: 2, itemK: 1 };
  const run = join(out, 'rqvae');
  const sid = { method: 'rqvae', codebookSize: 6, hidden: [8], epochs: 2, evalEpochs: 1, batchSize: 12, run } as const;
  const config: PipelineConfig = { out, dataset: 'shop', filter, sid };
  const all = async (of: PipelineConfig) => {
    const stages = new PipelineStages(of);
    await stages.filter();
    await stages.embed();
    return stages.sid();
  };
  const first = await all(config);
  expect((await all({ ...config, again: true })).mse).toBe(first.mse);
  expect(existsSync(join(`${run}.before-1`, 'checkpoint-2'))).toBe(true);
  const wider = { ...config, embed: { width: 5 } };
  await expect(all(wider)).rejects.toThrow('redo it with --again');
  expect((await all({ ...wider, again: true })).mse).not.toBe(first.mse);
  expect(existsSync(join(`${run}.before-2`, 'checkpoint-2'))).toBe(true);
});

test('reviews in several files, by a folder or a pattern, are those of one file; another file is noticed', async () => {
  const [header, ...lines] = readFileSync(orders(), 'utf8').trimEnd().split('\n');
  const parts = join(out, 'parts');
  mkdirSync(parts);
  const write = (name: string, of: string[]) => writeFileSync(join(parts, name), [header, ...of].join('\n') + '\n');
  write('part-1.csv', lines.slice(0, 150));
  write('part-2.csv', lines.slice(150));
  const rules = { columns: COLUMNS, userK: 2, itemK: 1 };
  const stagesOf = (reviews: string, name: string) =>
    new PipelineStages({ out: join(out, name), dataset: 'shop', filter: { ...rules, reviews } });
  const rows = (name: string) => readFileSync(join(out, name, 'shop.inter.json'), 'utf8');
  await stagesOf(join(out, 'orders.csv'), 'one').filter();
  for (const [name, reviews] of [
    ['folder', parts],
    ['pattern', join(parts, 'part-*.csv')],
  ] as const) {
    await stagesOf(reviews, name).filter();
    expect(rows(name), name).toBe(rows('one'));
  }
  write('part-3.csv', ['c1,s1,1600000000']);
  await stagesOf(join(parts, 'part-*.csv'), 'pattern').filter();
  expect(rows('pattern')).not.toBe(rows('one'));
  await expect(stagesOf(join(parts, 'none-*.csv'), 'none').filter()).rejects.toThrow('none-*.csv: no such file');
});

test.skipIf(!existsSync('node_modules/onnxruntime-node'))(
  "other weights in the encoder's folder: embed runs again",
  async () => {
    const encoder = join(out, 'encoder');
    cpSync(TINY, encoder, { recursive: true, preserveTimestamps: true });
    const filter = { reviews: orders(), columns: COLUMNS, userK: 2, itemK: 1 };
    const stages = new PipelineStages({ out, dataset: 'shop', filter, embed: { encoder } });
    await stages.filter();
    const first = await stages.embed();
    expect((await stages.embed()).seconds).toBe(first.seconds);
    const model = join(encoder, 'onnx', 'model.onnx');
    utimesSync(model, 1.6e9, 1.6e9);
    const second = await stages.embed();
    expect(second.seconds).not.toBe(first.seconds);
    expect((await stages.embed()).seconds).toBe(second.seconds);
  },
);
