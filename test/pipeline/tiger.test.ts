/** A baseline that reads SIDs has those of the pipeline, and is made anew where they have changed, or where that is asked for. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import type { BaselineStageOptions } from '../../lib/baselines/baseline-options.js';
import { useEngine } from '../../lib/engine/engine.js';
import type { PipelineConfig } from '../../lib/pipeline/config.js';
import { PipelineStages } from '../../lib/pipeline/stages.js';

const asked: BaselineStageOptions[] = [];
vi.mock('../../lib/baselines/baseline-stage.js', () => ({
  baselineStage: (options: BaselineStageOptions) => {
    asked.push(options);
    mkdirSync(dirname(options.results!), { recursive: true });
    writeFileSync(options.results!, '');
    return Promise.resolve({ name: options.baseline });
  },
}));

beforeAll(async () => void (await useEngine()));

test('the index of the pipeline, whoever made it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-tiger-'));
  copyFileSync('test/cases/stale/a.jsonl', join(folder, 'now.jsonl'));
  const filter = { reviews: join(folder, 'now.jsonl'), meta: 'test/cases/stale/meta.jsonl', userK: 2, itemK: 1 };
  const config: PipelineConfig = { out: join(folder, 'out'), dataset: 'shop', filter };
  const first = new PipelineStages(config);
  await first.filter();
  await first.embed();
  await first.sid();
  const calls = async (stages: PipelineStages, name: 'tiger' | 'item-knn'): Promise<BaselineStageOptions[]> => {
    asked.length = 0;
    await stages.baseline(name);
    return [...asked];
  };
  expect(await calls(first, 'tiger')).toMatchObject([{ baseline: 'tiger', index: first.index }]);
  expect(await calls(first, 'tiger')).toEqual([]); // nothing has changed
  expect((await calls(first, 'item-knn'))[0]).not.toHaveProperty('index');
  const own = join(folder, 'own.index.json');
  writeFileSync(own, readFileSync(first.index, 'utf8').replaceAll('<a_', '<A_'));
  const second = new PipelineStages({ ...config, sft: { index: own } });
  expect(await calls(second, 'tiger')).toMatchObject([{ baseline: 'tiger', index: own }]);
  const anew = new PipelineStages({ ...config, sft: { index: own }, again: true });
  expect(await calls(anew, 'tiger')).toMatchObject([{ again: true }]);
  expect((await calls(anew, 'item-knn'))[0]).not.toHaveProperty('again');
});
