/**
 * Every configuration that the kit's strategies write runs on the tiny sample: each strategy on a model of bare SIDs and on
 * one that reads words, both with RL, and all of them together.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { type BaselineReport, baselineStage } from '../../lib/baselines/baseline-stage.js';
import type { CurveFinding } from '../../lib/badcase/report-shape.js';
import { formatInter } from '../../lib/data/inter-file.js';
import { loadDataset } from '../../lib/data/load.js';
import { useEngine } from '../../lib/engine/engine.js';
import { readNpy } from '../../lib/files/npy.js';
import type { PipelineConfig } from '../../lib/pipeline/config.js';
import { PipelineStages } from '../../lib/pipeline/stages.js';
import { strategies } from '../../lib/strategies/choose.js';
import { betterThan, judge, judgeIndex, type Measured, sidCandidates } from '../../lib/strategies/sid-candidates.js';
import { STRATEGIES } from '../../lib/strategies/strategies.js';
import { reportOf } from './report.js';

const out = mkdtempSync(join(tmpdir(), 'sidlab-every-'));
const SFT = { model: 'qwen2:32x1', epochs: 0.1, validRows: 4, batchSize: 16 };
const BASE: PipelineConfig = {
  ...{ out, dataset: 'tiny', sample: { size: 'tiny' as const }, filter: { userK: 2, itemK: 1 } },
  sid: { codebookSize: 4, levels: 2, collisions: 'keep' },
  sft: SFT,
  grpo: { sampleSize: 8, epochs: 1, batchSize: 8, numGenerations: 3, validRows: 4, beta: 0 },
  evaluate: { numBeams: 4 },
};
const WORDS: PipelineConfig = { ...BASE, sft: { ...SFT, tasks: 'words,title2sid:n=16', template: 'words', vocabSize: 300 } }; // prettier-ignore
const curve = (stage: CurveFinding['stage'], state: CurveFinding['state']): CurveFinding => ({
  ...{ stage, metric: 'valid NDCG@10', first: 0.2, best: 0.2, bestStep: 1, last: 0.1, lastStep: 4, state },
});
const REPORT = reportOf({ curves: [curve('sft', 'over-fitted'), curve('grpo', 'below its start')] });

let sasrec: BaselineReport;
beforeAll(async () => {
  await useEngine();
  const stages = new PipelineStages(BASE);
  await stages.sample();
  await stages.filter();
  // the sample's people buy again; here they do not, so that every strategy has something to change
  const { train } = await loadDataset(out);
  const once = train.filter(({ history, target }) => !history.includes(target));
  writeFileSync(join(out, 'tiny.train.inter'), formatInter(once));
  await stages.embed();
  await stages.sid();
  // what the pipeline would train for the sasrec reward, with one epoch in place of hundreds
  sasrec = await baselineStage({ baseline: 'sasrec', data: out, epochs: 1, width: 8 });
});

/** Chooses, and runs what came of it beside the other runs. */
async function run(config: PipelineConfig, names: readonly string[], name: string) {
  const choice = await strategies({ report: REPORT, config, choose: names });
  const index = join(out, `${name}.index.json`);
  const sid = names.includes('sid_quality') ? { ...choice.config.sid, index } : choice.config.sid;
  const stages = new PipelineStages({ ...choice.config, run: name, ...(sid && { sid }) });
  vi.spyOn(stages, 'baseline').mockResolvedValue(sasrec);
  await stages.sid();
  await stages.sft();
  await stages.grpo();
  return { ...choice, evaluated: await stages.evaluate('grpo') };
}

/** On words those alone whose changes differ there. */
test.each([
  ...STRATEGIES.map(({ name }) => ['bare SIDs', name, BASE] as const),
  ...['cold_start', 'short_history', 'recency_bias'].map((name) => ['words', name, WORDS] as const),
])('%s: %s', async (what, name, config) => {
  const { chosen, evaluated } = await run(config, [name], `${what}-${name}`.replace(' ', '-'));
  expect(chosen.map((one) => one.name)).toEqual([name]);
  expect(evaluated.item['HR@1']).toBeGreaterThanOrEqual(0);
});

test('all together', async () => {
  const { chosen } = await run(WORDS, STRATEGIES.map(({ name }) => name), 'all'); // prettier-ignore
  expect(chosen).toHaveLength(STRATEGIES.length);
});

describe('SIDs on the vectors', () => {
  test('what collisions ask for is better than what there is, and the best candidate is taken', async () => {
    const stages = new PipelineStages(BASE);
    const vectors = readNpy(stages.embeddings);
    const now = judgeIndex(stages.index, vectors);
    expect(now.final).toBeGreaterThan(0); // 16 SIDs of 60 items
    const candidates = sidCandidates(REPORT, BASE, vectors.rows);
    expect(candidates.map(({ name }) => name)).toEqual(['another level', 'twice the codes', 'rqkmeans-constrained']); // prettier-ignore
    const judged = [];
    for (const candidate of candidates) judged.push(await judge(candidate, vectors, 'here'));
    const { chosen } = await strategies({ report: REPORT, config: BASE, choose: ['sid_quality'] });
    const best = judged.find(({ candidate }) => chosen[0]!.expected.includes(`(${candidate.name})`))!;
    expect(chosen[0]!.changes).toEqual(best.candidate.changes);
    for (const other of judged) expect(betterThan(other, best)).toBe(false);
  });

  test("one's own index: SIDs made of the vectors, where they are better", async () => {
    const { index } = new PipelineStages(BASE);
    const config = { ...BASE, sft: { ...SFT, index }, sid: { codebookSize: 8 } };
    const { chosen, config: changed } = await strategies({ report: REPORT, config, choose: ['sid_quality'] });
    expect(chosen[0]!.changes['sft.index']).toBeNull();
    expect(changed.sft).toEqual(SFT);
  });

  test('what is better: fewer shared SIDs first, then neighbours, evenness and room', () => {
    const of = (final: number, collision: number, neighbours: number, evenness: number): Measured => ({ final, collision, neighbours, evenness }); // prettier-ignore
    const here = of(0, 0.2, 0.3, 0.5);
    expect(betterThan(of(0.1, 0, 1, 1), here)).toBe(false);
    expect(betterThan(here, of(0.1, 0, 1, 1))).toBe(true);
    expect(betterThan(of(0, 0.1, 0.3, 0.5), here)).toBe(true);
    expect(betterThan(of(0, 0.2, 0.4, 0.5), here)).toBe(true);
    expect(betterThan(of(0, 0.2, 0.3, 0.7), here)).toBe(true);
    expect(betterThan(of(0, 0.2, 0.305, 0.5), here)).toBe(false); // no reason to train all anew
    expect(betterThan(here, here)).toBe(false);
  });
});
