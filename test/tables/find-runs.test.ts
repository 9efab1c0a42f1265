/** Which runs of a data folder a row means. */
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { baselineStage } from '../../lib/baselines/baseline-stage.js';
import { useEngine } from '../../lib/engine/engine.js';
import { writeResults } from '../../lib/evaluate/results-file.js';
import { hashFile, readJson, writeJson } from '../../lib/files/files.js';
import { TIGER } from '../../lib/baselines/tiger/tiger.js';
import { fingerprint } from '../../lib/options/derive.js';
import { defaultsOf } from '../../lib/options/schema.js';
import { findRuns } from '../../lib/tables/find-runs.js';
import { type BaselineRun, paperTable } from '../../lib/tables/paper-table.js';
import { folderFor } from '../../lib/tables/run-options.js';
import { commandOf } from '../../lib/tables/row-command.js';
import { putRun, rows, SASREC, toyFolder } from './toys.js';

type Run = Parameters<typeof findRuns>[1];

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'sidlab-found-'));
const foundIn = (dir: string, run: Run) =>
  findRuns(dir, run).map(({ results }) => relative(join(dir, 'runs'), results));

/** A language model's results, and what lies beside them. */
function putStage(dir: string, run: string, file: string, beside?: object): void {
  const path = join(dir, 'runs', run, file);
  writeResults(path, [{ ...rows[0]!, items: [1], scores: [1] }]);
  if (beside) writeJson(path.replace('.jsonl', '.json'), beside);
}

test('a row of a trained baseline takes runs of its options alone', () => {
  const dir = newFolder();
  const put = (name: string, options: object): void => putRun(join(dir, 'runs', name), { ...SASREC, ...options });
  const { patience: _patience, ...older } = SASREC;
  put('defaults', {});
  put('said', { schedule: 'constant', averageDecay: 0, mode: 'row' }); // before they were left out at their defaults
  put('seed', { seed: 7 });
  put('wide', { width: 128 });
  put('short', { historyLength: 5 });
  put('cosine', { schedule: 'cosine' });
  put('gru', { baseline: 'gru4rec' });
  put('all', {});
  writeJson(join(dir, 'runs', 'all', 'results.json'), { ...SASREC, part: 'all' }); // among the items of all data sets
  putRun(join(dir, 'runs', 'older'), older); // it says nothing of an option that decides the result
  putRun(join(dir, 'runs', 'sasrec'), undefined); // nobody knows its options
  const found = (options?: BaselineRun['options']) =>
    foundIn(dir, { baseline: 'sasrec', ...(options && { options }) }).map((file) => file.split('/')[0]);
  expect(found()).toEqual(['defaults', 'said', 'seed']);
  expect(found({ schedule: 'constant', width: 64 })).toEqual(['defaults', 'said', 'seed']);
  expect(found({ width: 128 })).toEqual(['wide']);
  expect(found({ historyLength: 5 })).toEqual(['short']);
  expect(found({ schedule: 'cosine' })).toEqual(['cosine']);
  writeJson(join(dir, 'runs', 'seed', 'model', 'config.json'), { size: { longest: 8 } });
  expect(found({ historyLength: 7 })).toEqual([]);
  expect(found({ historyLength: 8 })).toEqual(['seed']); // all of every history
  expect(found({ historyLength: 9 })).toEqual(['seed']);
  expect(found({ width: 128, schedule: 'cosine' })).toEqual([]);
});

test("runs of the kit's tables are found as they are on disk", () => {
  const dir = newFolder();
  const optionsOf = (table: string, model: string) => paperTable(table).rows.find((row) => row.model === model)!.run!;
  const chains = { mode: 'chain', width: 128, blocks: 1, weightDecay: 0.1, schedule: 'cosine', epochs: 60 };
  putRun(join(dir, 'runs', 'sasrec-42'), { ...SASREC, ...chains, averageDecay: 0.98 });
  const tiger = {
    ...{ stage: 'baseline', baseline: 'tiger', data: 'Beauty', rows: 131413, batchSize: 128 },
    ...{ learningRate: 0.001, weightDecay: 0, maxGradNorm: 0, schedule: 'cosine', evalEpochs: 3 },
    ...{ bestMetric: 'NDCG@10', patience: 10, seed: 42, headWidth: 32, validRows: 2000 },
  };
  const wide = { width: 256, layers: 1, decoderLayers: 2, heads: 8, feedForward: 1024, dropout: 0.15, epochs: 36 };
  const narrow = { width: 128, layers: 2, heads: 4, feedForward: 512, dropout: 0.1, epochs: 12 };
  putRun(join(dir, 'runs', 'tiger-42'), { ...tiger, ...wide, embeddingRate: 16, precision: 'bfloat16' });
  putRun(join(dir, 'runs', 'tiger-narrow'), { ...tiger, ...narrow, embeddingRate: 11 });
  putRun(join(dir, 'runs', 'tiger-slow'), { ...tiger, ...wide });
  for (const table of ['minionerec', 'beauty']) {
    expect(foundIn(dir, optionsOf(table, 'SASRec'))).toEqual(['sasrec-42/results.jsonl']);
  }
  expect(foundIn(dir, optionsOf('beauty', 'TIGER'))).toEqual(['tiger-42/results.jsonl']);
  expect(foundIn(dir, optionsOf('minionerec', 'TIGER'))).toEqual([]);
  expect(foundIn(dir, optionsOf('quick-start', 'SASRec'))).toEqual([]);
});

test('a run of either precision is one of a row that asks for none', () => {
  const dir = newFolder();
  const tiger = defaultsOf(TIGER.options!);
  const { precision: _asked, ...noted } = fingerprint(TIGER.options!, tiger);
  const config = { stage: 'baseline', baseline: 'tiger', ...noted };
  putRun(join(dir, 'runs', 'exact'), config);
  putRun(join(dir, 'runs', 'rounded'), { ...config, precision: 'bfloat16' });
  const found = (precision?: string): string[] =>
    foundIn(dir, { baseline: 'tiger', ...(precision && { options: { precision } }) }).map(
      (file) => file.split('/')[0]!,
    );
  expect(found()).toEqual(['exact', 'rounded']);
  expect(found('auto')).toEqual(['exact', 'rounded']);
  expect(found('float32')).toEqual(['exact']);
  expect(found('bfloat16')).toEqual(['rounded']);
  const place = (precision?: string) =>
    folderFor(dir, { baseline: 'tiger', options: { width: 256, ...(precision && { precision }) } }, 'exact', 42);
  expect(new Set(['float32', 'bfloat16', 'auto'].map(place)).size).toBe(3);
  expect(place('auto')).toBe(place());
});

test("MiniOneRec's row of a random start takes no run of a pretrained model", () => {
  const dir = newFolder();
  for (const [run, model] of Object.entries({ here: 'qwen2:128x4', pretrained: 'models/SmolLM2-135M' })) {
    writeJson(join(dir, 'runs', run, 'config.json'), { stage: 'sft', model });
    putStage(dir, run, 'results-test-sids-50.jsonl');
  }
  const row = paperTable('minionerec').rows.find(({ model }) => model === 'MiniOneRec, random start')!;
  expect(foundIn(dir, row.run!)).toEqual(['here/results-test-sids-50.jsonl']);
});

test('runs that were set aside are none', () => {
  const dir = newFolder();
  putRun(join(dir, 'runs', 'sasrec-42'), SASREC);
  putRun(join(dir, 'runs', 'sasrec-42.before-1'), { ...SASREC, seed: 1 });
  putRun(join(dir, 'runs', 'main', 'sasrec.before-12'), { ...SASREC, seed: 2 });
  expect(foundIn(dir, { baseline: 'sasrec' })).toEqual(['sasrec-42/results.jsonl']);
});

test('counted results say their options; older ones are taken to be of none', async () => {
  const dir = toyFolder();
  const few = { baseline: 'item-knn', options: { neighbours: 2 } } as const;
  const usual = { baseline: 'item-knn', options: { neighbours: 100 } } as const;
  await baselineStage({ baseline: 'item-knn', data: dir, neighbours: 2 });
  const record = join(dir, 'runs', 'baseline-item-knn', 'results.json');
  expect(readJson(record)).toEqual({
    ...{ stage: 'baseline', baseline: 'item-knn', data: 'Toys', neighbours: 2, shrinkage: 10 },
    inputs: Object.fromEntries(
      ['item.json', 'train.inter', 'valid.inter', 'test.inter'].map((ending) => [
        `Toys.${ending}`,
        hashFile(join(dir, `Toys.${ending}`)),
      ]),
    ),
  });
  const plain = ['baseline-item-knn/results.jsonl'];
  expect([few, usual, { baseline: 'item-knn' } as const].map((run) => foundIn(dir, run))).toEqual([plain, [], []]);
  await baselineStage({ baseline: 'item-knn', data: dir });
  expect([few, usual, { baseline: 'item-knn' } as const].map((run) => foundIn(dir, run))).toEqual([[], plain, plain]);
  renameSync(record, `${record}.gone`);
  expect([few, usual, { baseline: 'item-knn' } as const].map((run) => foundIn(dir, run))).toEqual([[], plain, plain]);
  await baselineStage({ baseline: 'popularity', data: dir, results: join(dir, 'runs', 'any', 'results.jsonl') });
  expect(foundIn(dir, { baseline: 'popularity' })).toEqual(['any/results.jsonl']);
});

test('of a language model its own task, ranked as usual', () => {
  const dir = newFolder();
  const usual = { split: 'test', template: 'sids', numBeams: 50, normalize: 'full' };
  const found = () => foundIn(dir, { stage: 'sft' });
  const config = (run: string, more: object = {}): void =>
    writeJson(join(dir, 'runs', run, 'config.json'), { stage: 'sft', ...more });
  config('a');
  putStage(dir, 'a', 'results-test-fusionseqrec-50.jsonl', { ...usual, template: 'fusionseqrec' });
  expect(found()).toEqual([]);
  putStage(dir, 'a', 'results-test-sids-50-bfloat16.jsonl', { ...usual, precision: 'bfloat16' });
  expect(found()).toEqual(['a/results-test-sids-50-bfloat16.jsonl']);
  putStage(dir, 'a', 'results-test-sids-50.jsonl', usual);
  expect(found()).toEqual(['a/results-test-sids-50.jsonl']);
  config('a', { template: 'fusionseqrec' });
  expect(found()).toEqual(['a/results-test-fusionseqrec-50.jsonl']);
  config('b', { template: 'my-task' });
  putStage(dir, 'b', 'results-test-my-task-50.jsonl'); // nothing beside it but its name
  config('c');
  putStage(dir, 'c', 'results-test-sids-50.jsonl', { ...usual, assistant: 'abc' });
  expect(found()).toEqual(['a/results-test-fusionseqrec-50.jsonl', 'b/results-test-my-task-50.jsonl']);
});

test("a pipeline's runs are found in their folder, where they ranked all test rows as usual", () => {
  const dir = newFolder();
  const usual = { split: 'test', numBeams: 50, normalize: 'full' };
  const put = (run: string, seed: number, beside: object | undefined, file = 'results.jsonl'): void => {
    writeJson(join(dir, 'runs', run, 'config.json'), { stage: run.endsWith('grpo') ? 'grpo' : 'sft', seed });
    putStage(dir, run, file, beside);
  };
  put('main/sft', 1, usual);
  put('short/sft', 2, { ...usual, numBeams: 10 });
  put('part/sft', 3, { ...usual, limit: 8 });
  put('legal/sft', 4, { ...usual, normalize: 'legal' });
  put('items/sft', 5, { ...usual, template: 'words' });
  put('none/sft', 6, undefined);
  put('alone', 7, undefined, 'results-test-sids-50.jsonl');
  put('main/grpo', 1, usual);
  putStage(dir, 'main/popularity', 'results.jsonl');
  putStage(dir, 'baseline-transition', 'results.jsonl');
  expect(foundIn(dir, { stage: 'sft' })).toEqual(['alone/results-test-sids-50.jsonl', 'main/sft/results.jsonl']);
  expect(foundIn(dir, { stage: 'grpo' })).toEqual(['main/grpo/results.jsonl']);
  expect(foundIn(dir, { baseline: 'popularity' })).toEqual(['main/popularity/results.jsonl']);
  expect(foundIn(dir, { baseline: 'transition' })).toEqual(['baseline-transition/results.jsonl']);
  expect(findRuns(join(dir, 'none'), { stage: 'sft' })).toEqual([]);
});

test('a folder of its own only where the plain one is taken; an index is part of what a row means', () => {
  const dir = newFolder();
  const place = (run: BaselineRun, seed?: number) =>
    relative(
      join(dir, 'runs'),
      folderFor(dir, run, seed === undefined ? `baseline-${run.baseline}` : `${run.baseline}-${seed}`, seed),
    );
  const wide = { baseline: 'sasrec', options: { width: 128 } } as const;
  expect(place(wide, 42)).toBe('sasrec-42');
  putRun(join(dir, 'runs', 'sasrec-42'), SASREC);
  expect(place({ baseline: 'sasrec' }, 42)).toBe('sasrec-42');
  expect(place(wide, 42)).toMatch(/^sasrec-[0-9a-f]{8}-42$/);
  expect(place(wide, 43)).toBe('sasrec-43');
  expect(place({ baseline: 'sasrec', options: { width: 32 } }, 42)).not.toBe(place(wide, 42));
  putRun(join(dir, 'runs', 'sasrec-44'), SASREC); // of seed 42
  expect(place({ baseline: 'sasrec' }, 44)).toMatch(/^sasrec-[0-9a-f]{8}-44$/);
  putRun(join(dir, 'runs', 'baseline-item-knn'), undefined);
  expect(place({ baseline: 'item-knn' })).toBe('baseline-item-knn');
  const few = { baseline: 'item-knn', options: { neighbours: 2 } } as const;
  expect(place(few)).toMatch(/^item-knn-[0-9a-f]{8}$/);
  expect(commandOf(few, dir)).toBe(
    `sidlab baseline item-knn --data ${dir} --neighbours 2 --results ${join(dir, 'runs', place(few), 'results.jsonl')}`,
  );
  const index = join(dir, 'other.json');
  writeFileSync(index, '[]');
  const tiger = { baseline: 'tiger', options: { index } } as const;
  expect(place(tiger, 1)).toMatch(/^tiger-[0-9a-f]{8}-1$/);
});

test('runs of a language model by the options of the row, of either results file of a baseline', async () => {
  const dir = toyFolder();
  const put = (run: string, config: object, file: string): void => {
    writeJson(join(dir, 'runs', run, 'config.json'), { stage: 'sft', ...config });
    putStage(dir, run, file);
  };
  put('small', { model: 'qwen2:8x1', epochs: 3 }, 'results-test-sids-50.jsonl');
  put('large', { model: 'qwen2:16x1', epochs: 3 }, 'results-test-sids-50-without-history.jsonl');
  const found = (options: Record<string, string | number>, excludeHistory?: true) =>
    foundIn(dir, { stage: 'sft', options, ...(excludeHistory && { excludeHistory }) }).map(
      (file) => file.split('/')[0],
    );
  expect(found({})).toEqual(['small']);
  expect(found({ model: 'qwen2:8x1', epochs: 3 })).toEqual(['small']);
  expect(found({ model: 'qwen2:8x1', epochs: 4 })).toEqual([]);
  expect(found({ averageDecay: 0 })).toEqual(['small']); // its default, which came later and is not noted
  expect(found({ averageDecay: 0.9 })).toEqual([]);
  expect(found({ model: 'qwen2:16x1' })).toEqual([]);
  expect(found({ model: 'qwen2:16x1' }, true)).toEqual(['large']);
  const without = { baseline: 'item-knn', excludeHistory: true } as const;
  await baselineStage({ baseline: 'item-knn', data: dir });
  expect(foundIn(dir, without)).toEqual([]);
  expect(commandOf(without, dir)).toBe(`sidlab baseline item-knn --data ${dir} --exclude-history`);
  await baselineStage({ baseline: 'item-knn', data: dir, excludeHistory: true });
  expect(foundIn(dir, without)).toEqual(['baseline-item-knn/results-without-history.jsonl']);
  expect(foundIn(dir, { baseline: 'item-knn' })).toEqual(['baseline-item-knn/results.jsonl']);
  const few = { ...without, options: { neighbours: 2 } } as const;
  expect(commandOf(few, dir)).toMatch(/--neighbours 2 --exclude-history --results .*results-without-history\.jsonl$/);
});

test.each(['item-knn', 'sasrec'] as const)(
  'results of %s are of the kind that they say, whatever their name is',
  async (baseline) => {
    await useEngine();
    const dir = toyFolder();
    const small: Record<string, number> =
      baseline === 'sasrec' ? { epochs: 1, width: 2, blocks: 1, heads: 1 } : { neighbours: 3 };
    const at = (run: string) => join(dir, 'runs', run, 'results.jsonl'); // as a pipeline names them
    await baselineStage({ baseline, data: dir, ...small, excludeHistory: true, results: at('main/a') });
    const kept: BaselineRun = { baseline, options: small };
    const left: BaselineRun = { ...kept, excludeHistory: true };
    expect([foundIn(dir, kept), foundIn(dir, left)]).toEqual([[], ['main/a/results.jsonl']]);
    await baselineStage({ baseline, data: dir, ...small, results: at('main/a') });
    expect([foundIn(dir, kept), foundIn(dir, left)]).toEqual([['main/a/results.jsonl'], []]);
  },
);

test('a pretrained model is none of a row that names a shape', () => {
  const dir = newFolder();
  const [model, other] = ['smol', 'other'].map((name) => join(dir, name)) as [string, string];
  for (const folder of [model, other]) writeJson(join(folder, 'config.json'), { folder });
  const inputs = { 'model config.json': hashFile(join(model, 'config.json')) };
  writeJson(join(dir, 'runs', 'smol', 'config.json'), { stage: 'sft', epochs: 3, inputs });
  putStage(dir, 'smol', 'results-test-sids-50.jsonl');
  const found = (options: Record<string, string | number>) => foundIn(dir, { stage: 'sft', options });
  expect(found({ epochs: 3 })).toHaveLength(1);
  expect(found({ model: 'qwen2:128x4' })).toEqual([]); // the default of the option, but not what was trained
  expect(found({ model })).toHaveLength(1);
  expect(found({ model: other })).toEqual([]);
  expect(found({ precision: 'float32' })).toHaveLength(1); // which a run does not note
  expect(found({ precision: 'bfloat16' })).toEqual([]);
});

test('a language model is trained beside a run of other options; one that is there is ranked alone', () => {
  const dir = newFolder();
  const row = (model: string) => ({ stage: 'sft', options: { model }, excludeHistory: true }) as const;
  const [small, large] = [row('qwen2:32x1'), row('qwen2:64x1')];
  const at = join(dir, 'runs', 'sft');
  writeJson(join(at, 'config.json'), { stage: 'sft', model: 'qwen2:32x1', epochs: 3 });
  const rank = (folder: string) => `sidlab evaluate --data ${dir} --model ${join(folder, 'model')} --exclude-history`;
  expect(commandOf(small, dir)).toBe(`sidlab sft --data ${dir} --model qwen2:32x1 && ${rank(at)}`); // it may be resumed
  const other = /--run (\S+) && /.exec(commandOf(large, dir))![1]!;
  expect(other).toMatch(/sft-[0-9a-f]{8}$/);
  expect(commandOf(large, dir)).toBe(`sidlab sft --data ${dir} --model qwen2:64x1 --run ${other} && ${rank(other)}`);
  writeJson(join(at, 'card.json'), {});
  expect(commandOf(small, dir)).toBe(rank(at));
  expect(commandOf(small, dir, { stale: [at] })).toMatch(/^sidlab sft .* --again && /);
  const grpo = commandOf({ stage: 'grpo' }, dir);
  expect(grpo).toMatch(`sidlab grpo --data ${dir} --model ${join(at, 'model')} && `); // which it cannot do without
});

test('commands say what differs from the defaults', () => {
  const wide = { baseline: 'sasrec', options: { width: 128, mode: 'chain' } } as const;
  expect(commandOf(wide, 'D')).toBe('sidlab baseline sasrec --data D --width 128 --mode chain');
  expect(commandOf({ baseline: 'popularity' }, 'D', { longest: 100 })).toBe(
    'sidlab baseline popularity --data D --top-k 100',
  );
  expect(commandOf({ stage: 'sft' }, 'D')).toBe(
    'sidlab sft --data D && sidlab evaluate --data D --model D/runs/sft/model',
  );
  expect(commandOf({ stage: 'sft', options: { model: 'qwen2:8x1' }, excludeHistory: true }, 'D')).toBe(
    'sidlab sft --data D --model qwen2:8x1 && sidlab evaluate --data D --model D/runs/sft/model --exclude-history',
  );
  const stale = ['D/runs/sft', 'D/runs/baseline-sasrec'];
  expect(commandOf({ stage: 'sft' }, 'D', { stale })).toMatch(/^sidlab sft --data D --again && /);
  expect(commandOf({ baseline: 'sasrec' }, 'D', { stale })).toBe('sidlab baseline sasrec --data D --again');
});
