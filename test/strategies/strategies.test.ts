/** What each strategy changes, for which finding, and what it leaves alone; strategies of one's own; what is refused. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { CurveFinding, ModeReport } from '../../lib/badcase/report-shape.js';
import { DETECTORS } from '../../lib/badcase/detectors.js';
import { askerOf, strategiesText } from '../../lib/cli/strategies-command.js';
import { formatInter } from '../../lib/data/inter-file.js';
import { type PipelineConfig, readPipelineConfig } from '../../lib/pipeline/config.js';
import { strategies } from '../../lib/strategies/choose.js';
import { PipelineStages } from '../../lib/pipeline/stages.js';
import { strategiesStage } from '../../lib/strategies/strategies-stage.js';
import { STRATEGIES } from '../../lib/strategies/strategies.js';
import type { Strategy } from '../../lib/strategies/strategy.js';
import { reportOf, verdict } from './report.js';

const CONFIG: PipelineConfig = { out: 'o', dataset: 'x', sft: { epochs: 10 }, grpo: { learningRate: 3e-5 } };
const changesOf = async (name: string, config = CONFIG, report = reportOf()) => {
  const { chosen, skipped } = await strategies({ report, config, choose: [name] });
  return chosen[0]?.changes ?? skipped[0]!.reason;
};

test('those that the verdicts name, in their order, each with finding and number; the configuration given is as it was', async () => {
  const before = structuredClone(CONFIG);
  const report = reportOf({ verdicts: [verdict('drift', 0.4, 'recency_bias'), verdict('cold start', 0.3, 'cold_start', 'short_history')] }); // prettier-ignore
  const { config, chosen, skipped } = await strategies({ report, config: CONFIG });
  expect(chosen.map(({ name, finding, value }) => [name, finding, value])).toEqual([
    ['recency_bias', 'drift', 0.4],
    ['cold_start', 'cold start', 0.3],
    ['short_history', 'cold start', 0.3],
  ]);
  expect(skipped).toEqual([]);
  expect(CONFIG).toEqual(before);
  expect(config.sft).toMatchObject({ epochs: 10, rowWeights: 'recency:25%', coldTargets: 8, cutHistories: 0.5 });
  expect(config.grpo).toMatchObject({ learningRate: 3e-5, reward: 'ranking,sasrec:0.5' });
});

test('nothing is called for: nothing changes', async () => {
  expect(await strategies({ report: reportOf(), config: CONFIG })).toEqual({ config: CONFIG, chosen: [], skipped: [] });
});

test('chosen by hand: the number of what it is about', async () => {
  const mode: ModeReport = { ...{ help: '', kind: 'cause' as const, rows: 50, count: 15, share: 0.25, foundShare: 0, failedShare: 0 }, ...{ lift: 1, low: 1, high: 1, p: 1, pHolm: 1, heldFixed: null, named: false } } as const; // prettier-ignore
  const report = reportOf({ modes: { 'long tail': mode } });
  const { chosen } = await strategies({ report, config: CONFIG, choose: ['long_tail', 'short_history'] });
  expect(chosen[0]).toMatchObject({ finding: 'long tail', value: 0.25, words: 'chosen by hand: 25.0 % of the failed rows are of long tail' }); // prettier-ignore
  expect(chosen[1]).toMatchObject({ finding: 'none', value: null });
});

describe('long_tail', () => {
  test('weights, adjustment, reward; without GRPO none of its options', async () => {
    expect(await changesOf('long_tail')).toEqual({
      ...{ 'sft.rowWeights': 'balanced:0.25', 'grpo.rowWeights': 'balanced:0.25' },
      ...{ 'grpo.reward': 'ranking,diversity:0.1', 'evaluate.logitAdjustment': 0.25 },
    });
    const { grpo: _grpo, ...alone } = CONFIG;
    expect(Object.keys(await changesOf('long_tail', alone))).toEqual(['sft.rowWeights', 'evaluate.logitAdjustment']);
  });

  test('weights of another kind stay, and what is there already is not set again', async () => {
    const weighted = { ...CONFIG, sft: { rowWeights: 'recency:30' }, grpo: { reward: 'rule,diversity', rowWeights: 'balanced:1' } }; // prettier-ignore
    expect(await changesOf('long_tail', weighted)).toEqual({
      ...{ 'sft.rowWeights': 'recency:30,balanced:0.25', 'evaluate.logitAdjustment': 0.25 },
    });
    const done = { ...weighted, sft: { rowWeights: 'balanced' }, evaluate: { logitAdjustment: 1 } };
    expect(await changesOf('long_tail', done)).toBe('rows are weighted and popularity is adjusted already');
  });
});

describe('cold_start', () => {
  test('a model of bare SIDs: rows alone; a folder: tasks and title words too; what is ranked stays', async () => {
    expect(await changesOf('cold_start')).toEqual({ 'sft.coldTargets': 8 });
    expect(await changesOf('cold_start', { ...CONFIG, sft: { model: 'models/x', template: 'words' } })).toEqual({
      ...{
        'sft.coldTargets': 8,
        'sft.tasks': 'words,title2sid,sid2title',
        'sft.template': 'words',
        'sft.init': 'title',
      },
    });
    const mixed = { ...CONFIG, sft: { tasks: 'sids,title2sid:0.5' } };
    expect(await changesOf('cold_start', mixed)).toMatchObject({ 'sft.tasks': 'sids,title2sid:0.5,sid2title' });
  });
});

describe('short_history', () => {
  test('cut histories, a collaborative reward; a profile where the model reads words', async () => {
    expect(await changesOf('short_history')).toEqual({
      ...{ 'sft.cutHistories': 0.5, 'sft.cutLength': 2 },
      ...{ 'grpo.reward': 'ranking,sasrec:0.5', 'grpo.aggregateRewards': 'normalize_then_sum' },
    });
    const folder = { ...CONFIG, sft: { model: 'models/x', template: 'seqrec' } };
    expect(await changesOf('short_history', folder)).toMatchObject({ 'sft.tasks': 'seqrec,preference2sid' });
  });
});

describe('recency_bias', () => {
  test('weights by age, the wording, the window', async () => {
    expect(await changesOf('recency_bias')).toEqual({
      ...{ 'sft.rowWeights': 'recency:25%', 'grpo.rowWeights': 'recency:25%', 'sft.window': 5 },
    });
    // a window is one of chains
    expect(await changesOf('recency_bias', { ...CONFIG, sft: { mode: 'row' } })).not.toHaveProperty('sft.window');
    const weighted = { ...CONFIG, sft: { mode: 'row' as const, rowWeights: 'recency:9' }, grpo: { rowWeights: 'recency:9' } }; // prettier-ignore
    expect(await changesOf('recency_bias', weighted)).toBe('late rows count more already');
    const worded = { ...CONFIG, sft: { tasks: 'seqrec:2,words,sid2title', template: 'words', window: 4 } };
    expect(await changesOf('recency_bias', worded)).toEqual({
      ...{ 'sft.rowWeights': 'recency:25%', 'grpo.rowWeights': 'recency:25%' },
      ...{ 'sft.tasks': 'recency2sid:2,recent,sid2title', 'sft.template': 'recent' },
    });
  });
});

describe('exclude_history', () => {
  const out = mkdtempSync(join(tmpdir(), 'sidlab-exclude-'));
  const config: PipelineConfig = { out, dataset: 'x', sft: { epochs: 1 } };
  const once = { user: 'U', history: [1, 2], target: 3 };

  test('where no training row has its target in its history, and is there to say so', async () => {
    expect(await changesOf('exclude_history', config)).toMatch(/x\.train\.inter is not there to say/);
    writeFileSync(join(out, 'x.train.inter'), formatInter([once]));
    expect(await changesOf('exclude_history', config)).toEqual({ 'evaluate.excludeHistory': true });
    const already = { ...config, evaluate: { excludeHistory: true } };
    expect(await changesOf('exclude_history', already)).toMatch(/already$/);
    writeFileSync(join(out, 'x.train.inter'), formatInter([once, { ...once, target: 2 }]));
    expect(await changesOf('exclude_history', config)).toBe('people buy the same thing again here');
  });

  test('is called for by repeats that are pushed', async () => {
    const detector = DETECTORS.find(({ name }) => name === 'repeats pushed')!;
    expect(detector.strategies).toEqual(['exclude_history']);
    writeFileSync(join(out, 'x.train.inter'), formatInter([once]));
    const report = reportOf({ verdicts: [verdict('repeats pushed', 0.3, 'exclude_history')] });
    const { config: next } = await strategies({ report, config });
    expect(next).toEqual({ ...config, evaluate: { excludeHistory: true } });
  });
});

describe('hyperparameter', () => {
  const curve = (state: CurveFinding['state'], stage: CurveFinding['stage'] = 'sft'): CurveFinding => ({
    ...{ stage, metric: 'valid NDCG@10', first: 0.1, best: 0.2, bestStep: 40, last: 0.15, lastStep: 100, state },
  });
  const of = (...curves: CurveFinding[]) => changesOf('hyperparameter', CONFIG, reportOf({ curves }));

  test('by the state of each curve', async () => {
    expect(await of()).toContain('no training curve');
    expect(await of(curve('settled'), curve('settled', 'grpo'))).toBe('the training curves have settled');
    expect(await of(curve('still improving'))).toEqual({ 'sft.epochs': 15 });
    // 40 of 100 steps are 4 of 10 epochs, and a quarter more
    expect(await of(curve('over-fitted'))).toEqual({ 'sft.epochs': 5, 'sft.dropout': 0.4, 'sft.weightDecay': 0.02 });
    expect(await of(curve('still improving', 'grpo'))).toEqual({ 'grpo.epochs': 4 });
    expect(await of(curve('over-fitted', 'grpo'))).toEqual({ 'grpo.epochs': 1, 'grpo.learningRate': 1.5e-5 });
    expect(await of(curve('below its start', 'grpo'))).toEqual({
      ...{ 'grpo.learningRate': 1e-5, 'grpo.beta': 0.004, 'grpo.numGenerations': 32 },
    });
  });

  test('RL without a reference gets one with its beta', async () => {
    const config = { ...CONFIG, grpo: { beta: 0, reference: 'none' as const } };
    const report = reportOf({ curves: [curve('below its start', 'grpo')] });
    const chosen = await strategies({ report, config, choose: ['hyperparameter'] });
    expect(chosen.config.grpo).toEqual({ beta: 0.01, learningRate: 3.33e-6, numGenerations: 32 });
  });
});

describe('your own', () => {
  const mine: Strategy = {
    ...{ name: 'bigger', help: 'a wider model', modes: [] },
    calledBy: ({ failureRate }) => (failureRate > 0.5 ? { finding: 'failure rate', value: failureRate, words: 'Too many.' } : undefined), // prettier-ignore
    propose: () => ({ changes: { 'sft.model': 'qwen2:256x4' }, expected: 'More hits.' }),
  };

  test('is called for by its own rule, and can be chosen', async () => {
    const all = [...STRATEGIES, mine];
    const { config, chosen } = await strategies({ report: reportOf(), config: CONFIG, strategies: all });
    expect(config.sft?.model).toBe('qwen2:256x4');
    expect(chosen).toMatchObject([{ name: 'bigger', finding: 'failure rate', value: 0.6 }]);
    expect((await strategies({ report: reportOf({ failureRate: 0.1 }), config: CONFIG, strategies: all })).chosen).toEqual([]); // prettier-ignore
  });

  test('changes that are no configuration are refused with its name', async () => {
    const wrong = { ...mine, propose: () => ({ changes: { 'sft.epochz': 3 }, expected: '' }) };
    await expect(strategies({ report: reportOf(), config: CONFIG, strategies: [wrong] })).rejects.toThrow(/strategies: bigger.*sft\.epochz.*did you mean sft\.epochs/); // prettier-ignore
  });

  test('an unknown name', async () => {
    await expect(strategies({ report: reportOf(), config: CONFIG, choose: ['long_tale'] })).rejects.toThrow(/expected any of sid_quality, cold_start, .*got "long_tale"/); // prettier-ignore
  });
});

describe('the stage', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-strategies-'));
  const [report, config] = [join(folder, 'badcase_report.json'), join(folder, 'config.json')];
  writeFileSync(report, JSON.stringify(reportOf({ verdicts: [verdict('drift', 0.4, 'recency_bias')] })));
  writeFileSync(
    config,
    JSON.stringify({ out: join(folder, 'data'), dataset: 'x', sid: { index: 'a.index.json', levels: 2 } }),
  );

  test('writes a configuration that reads as one, in a folder beside the run', async () => {
    const found = await strategiesStage({ report, config, auto: true });
    expect(found.config).toBe(join(folder, 'optimized_config.json'));
    expect(readPipelineConfig(found.config)).toEqual({
      ...{ out: join(folder, 'data/optimized'), figures: join(folder, 'data/optimized/figures'), dataset: 'x' },
      ...{ sid: { levels: 2 }, sft: { rowWeights: 'recency:25%', window: 5 } },
    });
    expect(strategiesText(found)).toMatch(/recency_bias: drift is 0.4.[^]*sft.window[^]*sidlab pipeline --config/);
    expect(strategiesText({ ...found, chosen: [], skipped: [{ name: 'a', reason: 'b' }] })).toContain(
      'a: nothing to change: b',
    );
  });

  test('imported SIDs stay, and what a chat model answered is not asked again', async () => {
    const imported = join(folder, 'imported.json');
    const enriched = { what: 'items', model: 'm' };
    const source = { out: join(folder, 'own'), dataset: 'x', import: { converted: 'c' }, enrich: enriched };
    writeFileSync(imported, JSON.stringify(source));
    const found = await strategiesStage({ report, config: imported, auto: true, out: join(folder, 'next.json') });
    const { embed, sid, enrich, ...next } = readPipelineConfig(found.config);
    expect([embed, sid]).toEqual([undefined, undefined]);
    expect(enrich).toEqual({ ...enriched, answers: new PipelineStages(source as PipelineConfig).answers });
    expect(new PipelineStages({ ...next, enrich } as PipelineConfig).ownIndex).toBe(true);
  });

  test('by hand, and to another file', async () => {
    const out = join(folder, 'other.json');
    const { chosen } = await strategiesStage({ report, config, choose: ['long_tail'], out });
    expect(chosen.map(({ name }) => name)).toEqual(['long_tail']);
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ evaluate: { logitAdjustment: 0.25 } });
  });

  test('asks where neither is said', async () => {
    const asked: string[] = [];
    const { chosen } = await strategiesStage({ report, config }, (called) => {
      asked.push(...called.map(({ strategy, finding }) => `${strategy.name} ${finding.value}`));
      return Promise.resolve(['cold_start']);
    });
    expect(asked).toEqual(['recency_bias 0.4']);
    expect(chosen.map(({ name }) => name)).toEqual(['cold_start']);
  });

  test.each([
    [{ report }, /expected --auto or --choose NAMES/],
    [{ report, auto: true, choose: ['long_tail'] }, /expected --auto or --choose, got both/],
    [{ report: config, auto: true }, /config\.json: expected a report of bad cases \(version 1\)/],
    [{ report: join(folder, 'none.json'), auto: true }, /none\.json.*run sidlab badcase first/],
  ])('refused: %j', async (options, message) => {
    await expect(strategiesStage({ config, ...options })).rejects.toThrow(message);
  });
});

describe('on a terminal', () => {
  const answer = async (...lines: string[]) => {
    const [input, output] = [Object.assign(new PassThrough(), { isTTY: true }), Object.assign(new PassThrough(), { isTTY: true })]; // prettier-ignore
    const finding = { finding: 'drift', value: 0.4, words: 'It drifts.' };
    const strategy = STRATEGIES.find(({ name }) => name === 'recency_bias')!;
    const chosen = askerOf({ input, output })!([{ strategy, finding }]);
    for (const line of lines) input.write(`${line}\n`);
    return { chosen: await chosen, said: String(output.read()) };
  };

  test('an empty answer takes what is called for; names and none; another question where it is not understood', async () => {
    const first = await answer('');
    expect(first.chosen).toEqual(['recency_bias']);
    expect(first.said).toMatch(/recency_bias: It drifts\.\nstrategies: \(sid_quality.*\[recency_bias\]/);
    expect((await answer('none')).chosen).toEqual([]);
    expect((await answer('long_tail, cold_start')).chosen).toEqual(['long_tail', 'cold_start']);
  });

  test('an input that ends is one line, and no wait for ever', async () => {
    const [input, output] = [Object.assign(new PassThrough(), { isTTY: true }), Object.assign(new PassThrough(), { isTTY: true })]; // prettier-ignore
    const ended = askerOf({ input, output })!([]);
    input.end();
    await expect(ended).rejects.toThrow('strategies: no answer about strategies; --auto asks nothing');
  });

  test('nobody is asked where there is no terminal', () => {
    expect(askerOf({ input: new PassThrough(), output: new PassThrough() })).toBeUndefined();
  });
});
