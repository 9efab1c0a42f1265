/** Rounds: the second one beside the first, with what a strategy changed; stopped and gone on with anywhere. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { readResults } from '../../lib/evaluate/results-file.js';
import { hashFile, readJson } from '../../lib/files/files.js';
import type { Ask } from '../../lib/pipeline/ask.js';
import type { PipelineConfig } from '../../lib/pipeline/config.js';
import { dryRun } from '../../lib/pipeline/dry-run.js';
import { nextRound } from '../../lib/pipeline/next-round.js';
import type { PipelineReport } from '../../lib/pipeline/pipeline-report.js';
import { runPipeline } from '../../lib/pipeline/pipeline.js';
import type { ChooseStrategies, StrategyInput } from '../../lib/pipeline/rounds.js';

const out = mkdtempSync(join(tmpdir(), 'sidlab-rounds-'));
const config: PipelineConfig = {
  ...{ out, dataset: 'tiny', sample: { size: 'tiny' }, sid: { codebookSize: 8 }, evaluate: { numBeams: 10 } },
  sft: { model: 'qwen2:32x1', epochs: 1 },
};

const inputs: StrategyInput[] = [];
const longer: ChooseStrategies = (input) => {
  inputs.push(input);
  const epochs = (input.config.sft?.epochs ?? 0) + 1;
  const chosen = { name: 'hyperparameter', finding: 'training', value: 1, words: 'it still improves', changes: { 'sft.epochs': epochs }, expected: 'a better model' } as const; // prettier-ignore
  return { config: { ...input.config, sft: { ...input.config.sft!, epochs } }, chosen: [chosen] };
};

/** Every file below the folder, but the stamps, with its hash. */
function files(folder: string, but?: string): Record<string, string> {
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  const own = all.filter((path) => statSync(path).isFile() && !(but !== undefined && path.startsWith(but)));
  return Object.fromEntries(own.map((path) => [relative(folder, path), hashFile(path)]));
}

let one: PipelineReport;
let first: Record<string, string>;

beforeAll(async () => {
  await useEngine();
  one = await runPipeline({ ...config, badcase: {} });
  first = files(out);
}, 120_000);
afterAll(() => rmSync(out, { recursive: true }));

test('without rounds there is no second one, and nobody need choose', async () => {
  expect(one.rounds).toBeUndefined();
  expect(one.strategies).toBeUndefined();
  await expect(runPipeline({ ...config, rounds: 2 })).rejects.toThrow('expected a function that chooses strategies');
});

test('a no before the second round stops there; nothing of the first is touched', async () => {
  const asked: string[] = [];
  const ask: Ask = ({ stage, text, read }) => {
    asked.push(`${stage}: ${text}`);
    return Promise.resolve(read('no')!);
  };
  const report = await runPipeline({ ...config, rounds: 2 }, { strategies: longer, ask });
  expect(asked).toEqual(['round 2: train again with hyperparameter? [Y/n]']); // the model is there
  expect(report.rounds).toBeUndefined();
  expect(report.strategies!.chosen.map(({ name }) => name)).toEqual(['hyperparameter']);
  expect(inputs.at(-1)!.report.cases).toHaveLength(report.stages.badcase!.failed);
  expect(readdirSync(join(out, 'round-2'))).toEqual(['optimized_config.json']);
});

test('gone on with: the second round beside the first, and both compared', async () => {
  const report = await runPipeline({ ...config, rounds: 2 }, { strategies: longer });
  const { rounds, comparison, warnings } = report;
  expect(rounds).toHaveLength(2);
  expect(rounds![1]!.stages.sft.steps).toBe(2 * rounds![0]!.stages.sft.steps);
  expect(rounds![1]!.stages.sid).toBeUndefined(); // vectors and SIDs are those of the first round
  expect(existsSync(join(out, 'round-2', 'tiny.index.json'))).toBe(false);
  expect(report.results).toBe(rounds![0]!.results);
  expect(comparison!.sides.map(({ name, files: [file] }) => [name, file])).toEqual([
    ['round 1', rounds![0]!.results],
    ['round 2', rounds![1]!.results],
  ]);
  const hr = comparison!.item!.find(({ metric }) => metric === 'HR@10')!;
  expect([hr.a, hr.b]).toEqual(rounds!.map(({ evaluate }) => expect.closeTo(evaluate.item['HR@10']!, 12) as number));
  expect(comparison!.sid).toBeDefined();
  expect(comparison!.modes!.length).toBeGreaterThan(0);
  expect(warnings.some((line) => line.includes('not compared'))).toBe(false);
  expect(warnings.some((line) => line.includes('--exclude-history'))).toBe(false); // people buy again in the sample
  for (const file of ['comparison.json', 'comparison.md', 'comparison-differences.png']) {
    expect(existsSync(join(out, 'runs', 'main', file))).toBe(true);
  }
  expect(files(out, join(out, 'round-2'))).toMatchObject(first);
});

test('again: nothing is done', async () => {
  const before = files(out);
  const said: string[] = [];
  const asked: string[] = [];
  const ask: Ask = ({ stage, otherwise }) => {
    asked.push(stage);
    return Promise.resolve(otherwise);
  };
  const report = await runPipeline({ ...config, rounds: 2 }, { strategies: longer, ask, say: (stage) => said.push(stage) }); // prettier-ignore
  expect(files(out)).toEqual(before);
  expect(asked).toEqual([]);
  expect(said).toEqual(expect.arrayContaining(['strategies', 'round 2: sft', 'compare']));
  expect(report.rounds![1]!.stages.sft.seconds).toBeGreaterThan(0);
});

test('a round that ranks otherwise does not train again; one of other options does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-rounds-ranking-'));
  const small = { ...config, out: folder, grpo: { epochs: 0.2, numGenerations: 4 }, badcase: {} };
  const change = (changed: Partial<PipelineConfig>): ChooseStrategies => ({ config }) => {
    const chosen = { name: 'exclude_history', finding: 'x', value: 1, words: 'x', changes: {}, expected: 'x' } as const;
    return { config: { ...config, ...changed }, chosen: [chosen] };
  }; // prettier-ignore
  const rounds = { ...small, rounds: 2 };
  const card = (round: string, run: string): string => join(folder, round, 'runs', 'main', run, 'card.json');
  const same = (run: string): boolean => hashFile(card('.', run)) === hashFile(card('round-2', run));

  const fewer = { evaluate: { numBeams: 5 } };
  const { rounds: both } = await runPipeline(rounds, { strategies: change(fewer) });
  expect([same('sft'), same('grpo')]).toEqual([true, true]);
  expect(both![1]!.stages.grpo!.model).toBe(join(folder, 'round-2', 'runs', 'main', 'grpo', 'model'));
  expect(both![1]!.results).not.toBe(both![0]!.results);
  expect((await readResults(both![1]!.results))[0]!.items).toHaveLength(5);

  rmSync(join(folder, 'round-2', 'runs', 'main', 'grpo'), { recursive: true }); // stopped between the copies
  await runPipeline(rounds, { strategies: change(fewer) });
  expect([same('sft'), same('grpo')]).toEqual([true, true]);

  rmSync(join(folder, 'round-2'), { recursive: true });
  await runPipeline(rounds, { strategies: change({ grpo: { ...small.grpo, numGenerations: 2 } }) });
  expect([same('sft'), same('grpo')]).toEqual([true, false]);

  rmSync(join(folder, 'round-2'), { recursive: true });
  await runPipeline(rounds, { strategies: change({ sft: { ...small.sft, seed: 1 } }) });
  expect([same('sft'), same('grpo')]).toEqual([false, false]);
  rmSync(folder, { recursive: true });
}, 120_000);

test('the configuration of the next round: what would come out the same is taken over', () => {
  const next = (changes: Partial<PipelineConfig>, before = config): PipelineConfig =>
    nextRound(config, before, { ...before, ...changes }, 2);
  const vectors = join(out, 'tiny.emb-lsa.npy');
  expect(next({ sft: { epochs: 9 } })).toMatchObject({
    out: join(out, 'round-2'),
    filter: { reviews: join(out, 'raw', 'reviews.jsonl.gz') },
    sid: { codebookSize: 8, embeddings: vectors },
    sft: { epochs: 9, index: join(out, 'tiny.index.json') },
  });
  for (const gone of ['sample', 'rounds', 'strategies', 'compare', 'again']) {
    expect(next({ rounds: 2, strategies: {}, compare: {}, again: true })).not.toHaveProperty(gone);
  }
  expect(next({ sid: { codebookSize: 4 } })).toMatchObject({ sid: { codebookSize: 4, embeddings: vectors } });
  expect(next({ sid: { codebookSize: 4 } }).sft).not.toHaveProperty('index');
  expect(next({ embed: { dimensions: 8 } } as object).sid).toEqual({ codebookSize: 8 });
  expect(next({ filter: { window: 5 } }).sft).not.toHaveProperty('index');
  expect(next({ filter: { window: 5 } }).sid).toEqual({ codebookSize: 8 });
  const own = { ...config, sid: { codebookSize: 8, index: join(out, 'mine.json') }, embed: { embeddings: 'mine.npy' } };
  const changed = next({ sid: { codebookSize: 4, index: join(out, 'mine.json') } }, own);
  expect([changed.sid, changed.embed]).toEqual([{ codebookSize: 4 }, {}]); // no file of the first is written
  expect(nextRound({ ...config, run: 'b' }, config, config, 2).out).toBe(join(out, 'b-round-2'));
  expect(next({ baselines: ['sasrec', 'popularity'] }).baselines).toEqual(['popularity']);
  const sasrec = { width: 32, seed: 3 }; // a strategy may ask for one in a round after the next
  expect(next({ baselines: ['sasrec', 'popularity'], sasrec }).sasrec).toEqual(sasrec);
  expect(nextRound({ ...config, figures: 'figures' }, next({}), next({}), 3)).toMatchObject({
    out: join(out, 'round-3'),
    figures: join('figures', 'round-3'),
    filter: { reviews: join(out, 'raw', 'reviews.jsonl.gz') },
  });
});

test('the dry run shows all of it', async () => {
  const { stages } = await dryRun({ ...config, rounds: 3, compare: { at: 5 } });
  expect(stages.map(({ stage }) => stage)).toEqual([
    ...['sample', 'filter', 'baseline popularity', 'baseline transition'],
    ...['embed', 'sid', 'convert', 'sft', 'evaluate', 'badcase', 'strategies'],
    ...['round 2', 'compare', 'round 3', 'compare'],
  ]);
  expect(stages.at(-2)!.options).toEqual({ out: join(out, 'round-3') });
  expect(stages.at(-1)!.options).toEqual({ at: 5 });
});

test('the configuration of a round runs alone', () => {
  const file = join(out, 'round-2', 'optimized_config.json');
  expect(readJson(file)).toMatchObject({ out: join(out, 'round-2'), sft: { epochs: 2 } });
});

test('no strategy is called for: no other round', async () => {
  const none: ChooseStrategies = ({ config: same }) => ({ config: same, chosen: [] });
  const report = await runPipeline({ ...config, rounds: 2, strategies: { choose: ['long_tail'] } }, { strategies: none }); // prettier-ignore
  expect(report.strategies!.chosen).toEqual([]);
  expect(report.rounds).toBeUndefined();
});
