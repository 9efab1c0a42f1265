/** Where a pipeline's data come from beside raw reviews: joined folders, published files; and texts of a chat model. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { convert } from '../../lib/data/convert.js';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { readItems } from '../../lib/data/item-file.js';
import { writeSample } from '../../lib/data/sample/sample.js';
import { readIndex } from '../../lib/data/sid-index.js';
import { useEngine } from '../../lib/engine/engine.js';
import type { PipelineConfig } from '../../lib/pipeline/config.js';
import { nextRound } from '../../lib/pipeline/next-round.js';
import type { PipelineReport } from '../../lib/pipeline/pipeline-report.js';
import { runPipeline } from '../../lib/pipeline/pipeline.js';
import { resultRows } from '../../lib/pipeline/result-rows.js';
import { PipelineStages } from '../../lib/pipeline/stages.js';

const root = mkdtempSync(join(tmpdir(), 'sidlab-sources-'));
const at = (...names: string[]): string => join(root, ...names);
const joint: PipelineConfig = {
  ...{ out: at('joint'), dataset: 'all', join: { data: [at('one'), at('two')] } },
  ...{ sid: { codebookSize: 8 }, evaluate: { numBeams: 10 }, sft: { model: 'qwen2:32x1', epochs: 1, validRows: 8 } },
};
let report: PipelineReport;
let server: Server;
let requests = 0;
let address: string;

beforeAll(async () => {
  await useEngine();
  for (const [i, dataset] of ['one', 'two'].entries()) {
    const raw = writeSample({ out: at(dataset, 'raw'), size: 'tiny', seed: i + 1 });
    await filterStage({ ...{ reviews: raw.reviews, meta: raw.meta }, out: at(dataset), dataset });
  }
  report = await runPipeline(joint);
  server = createServer((request, response) => {
    request.resume().on('end', () => {
      requests++;
      const fields = { enhanced_title: 'E', tags: ['t'], highlights: ['h'], characteristics: { c: '1' } };
      response.end(JSON.stringify({ choices: [{ message: { content: JSON.stringify(fields) } }], usage: {} }));
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}, 120_000);
afterAll(() => {
  server.close();
  rmSync(root, { recursive: true });
});

test('several data sets in one run: one tokenizer, one model, each data set with its own row of the table', async () => {
  const { stages, models, baselines } = report;
  expect(stages.filter).toBeUndefined();
  expect(stages.join!.parts.map(({ name }) => name)).toEqual(['one', 'two']);
  expect(readIndex(at('joint', 'all.index.json'))).toHaveLength(stages.join!.items);
  const names = resultRows(baselines, models).map(({ model }) => model);
  expect(names).toEqual(['popularity', 'transition', 'sft'].flatMap((name) => [name, `${name}: one`, `${name}: two`]));
  // again nothing is done, until a data set has changed
  const again = new PipelineStages(joint);
  expect((await again.evaluate('sft')).usersPerSecond).toBe(models.sft!.usersPerSecond);
  expect(existsSync(join(again.runs, 'sft', 'results-two.jsonl'))).toBe(true);
  const { out } = nextRound(joint, joint, joint, 2);
  expect(nextRound(joint, joint, joint, 2)).toMatchObject({ out, join: joint.join, sft: { index: again.index } });
  expect(nextRound(joint, joint, joint, 2).filter).toBeUndefined();
});

test('published files: rows, items and SIDs as they are, or SIDs of our own beside them', async () => {
  const published = at('published');
  await convert({ data: at('joint'), dataset: 'all', out: published });
  cpSync(at('joint', 'all.item.json'), join(published, 'all.item.json'));
  const config: PipelineConfig = { out: at('imported'), dataset: 'all', import: { converted: published } };
  const stages = new PipelineStages(config);
  expect(await stages.import()).toMatchObject({ items: report.stages.join!.items, missing: [] });
  expect(readIndex(stages.index)).toEqual(readIndex(at('joint', 'all.index.json')));
  await expect(stages.sid()).rejects.toThrow('import brings your own index');
  const ours = new PipelineStages({ ...config, sid: { codebookSize: 9, seed: 7 } });
  await ours.embed();
  await ours.sid();
  expect(ours.index).toBe(at('imported', 'all.own.index.json'));
  expect(readIndex(ours.index)).not.toEqual(readIndex(stages.index));
  const stamp = readFileSync(at('imported', '.stages', 'import.json'), 'utf8');
  await stages.import();
  expect(readFileSync(at('imported', '.stages', 'import.json'), 'utf8')).toBe(stamp);
  expect(() => new PipelineStages({ ...config, sample: {} })).toThrow('got sample and import; leave all but one out');
});

test("a chat model's texts of the items: nothing is asked twice, and neither filter nor embed is in vain", async () => {
  const raw = { reviews: at('one', 'raw', 'reviews.jsonl.gz'), meta: at('one', 'raw', 'meta.jsonl.gz') };
  const enrich = { model: 'any', baseUrl: address, requestsPerMinute: 1e6 };
  const config: PipelineConfig = { out: at('enriched'), dataset: 'one', filter: raw, enrich };
  const stages = new PipelineStages(config);
  const { items } = await stages.filter();
  expect(await stages.enrichEstimate()).toMatchObject({ requests: items, cached: 0 });
  expect(await stages.enrich()).toMatchObject({ requests: items, answered: items });
  const { seconds } = await stages.embed();
  const before = readFileSync(at('enriched', '.stages', 'filter.json'), 'utf8');
  await stages.filter();
  expect(readFileSync(at('enriched', '.stages', 'filter.json'), 'utf8')).toBe(before);
  expect(readItems(at('enriched', 'one.item.json'))[0]!.extra).toMatchObject({ enhanced_title: 'E' });
  expect(await stages.enrich()).toMatchObject({ requests: 0, cached: items });
  expect((await stages.embed()).seconds).toBe(seconds);
  expect(requests).toBe(items);
  // without it the items are the source's again
  await new PipelineStages({ ...config, enrich: undefined } as never as PipelineConfig).filter();
  expect(readItems(at('enriched', 'one.item.json'))[0]!.extra).toBeUndefined();
  // another round asks nothing again; preferences reach training
  expect(nextRound(config, config, config, 2).enrich).toMatchObject({
    answers: at('enriched', 'one.enrich-items.jsonl'),
  });
  const tastes = new PipelineStages({ ...config, enrich: { ...enrich, what: 'preferences' } });
  expect(tastes.preferences).toBe(at('enriched', 'one.preferences.jsonl'));
  await expect(runPipeline({ ...config, enrich: { model: 'm', baseUrl: 'https://api.openai.com/v1', keyEnv: 'SIDLAB_NO_KEY' } })).rejects.toThrow('expected a key'); // prettier-ignore
});
