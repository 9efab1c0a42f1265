/** `sidlab pipeline` by flags: what stages they make, as a dry run shows it. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../lib/cli/commands.js';
import { configOf } from '../../lib/cli/pipeline-command.js';
import { readCommandLine } from '../../lib/cli/read-command-line.js';
import { allOptions } from '../../lib/options/schema.js';
import type { DryRun } from '../../lib/pipeline/dry-run.js';
import { STAGE_NAMES, STAGE_SCHEMAS } from '../../lib/pipeline/pipeline-options.js';

const out = mkdtempSync(join(tmpdir(), 'sidlab-flags-'));
const own = ['--reviews', join(out, 'none.jsonl'), '--out', out];

async function planned(...args: string[]): Promise<Record<string, object>> {
  const { values, extra } = readCommandLine('pipeline', COMMANDS.pipeline!, [...args, '--dry-run']);
  const { stages } = (await COMMANDS.pipeline!.run(values, extra)) as DryRun;
  return Object.fromEntries(stages.map(({ stage, options }) => [stage, options]));
}

test('method, encoder, tasks, GRPO and rounds', async () => {
  const stages = await planned(...own, '--method', 'rqkmeans-plus', '--encoder', './bge', '--tasks', 'sids,title2sid', '--grpo', '--rounds', '2'); // prettier-ignore
  expect(Object.keys(stages)).toEqual([
    ...['filter', 'baseline popularity', 'baseline transition'],
    ...['embed', 'sid', 'convert', 'sft', 'grpo', 'evaluate', 'badcase', 'strategies', 'round 2', 'compare'],
  ]);
  expect(stages).toMatchObject({
    embed: { encoder: './bge' },
    sid: { method: 'rqkmeans-plus' },
    sft: { tasks: 'sids,title2sid' },
    grpo: {},
    'round 2': { out: join(out, 'round-2') },
  });
});

test('strategies that are named; the options of the comparison by its name', async () => {
  const stages = await planned(...own, '--choose', 'long_tail,cold_start', '--rounds', '2', '--compare-at', '5');
  expect(stages).toMatchObject({ strategies: { choose: ['long_tail', 'cold_start'] }, compare: { at: 5 } });
  expect(Object.keys(await planned(...own, '--strategies'))).toContain('strategies');
  await expect(planned(...own, '--choose', 'luck')).rejects.toThrow(/--choose to be some of long_tail/);
});

test('rounds beside a configuration file, and of the quickstart', async () => {
  const file = join(out, 'run.json');
  writeFileSync(file, JSON.stringify({ out, dataset: 'x', sample: {} }));
  expect(Object.keys(await planned('--config', file, '--rounds', '2'))).toContain('round 2');
  expect(Object.keys(await planned('--rounds', '3'))).toContain('round 3');
});

test('flags beside a configuration file are in the place of what it says', async () => {
  const file = join(out, 'beside.json');
  const stages = {
    filter: { reviews: 'theirs.jsonl', userK: 3 },
    sft: { epochs: 2, learningRate: 1e-3, seed: 1 },
    embed: { seed: 1 },
  };
  writeFileSync(file, JSON.stringify({ out: join(out, 'theirs'), dataset: 'theirs', ...stages }));
  const { values, extra } = readCommandLine('pipeline', COMMANDS.pipeline!, [
    ...['--config', file, '--reviews', join(out, 'none.jsonl'), '--out', join(out, 'mine'), '--user-k', '2'],
    ...['--sft-epochs', '7', '--grpo', '--seed', '5', '--dry-run'],
  ]);
  const plan = (await COMMANDS.pipeline!.run(values, extra)) as DryRun;
  expect(Object.fromEntries(plan.stages.map(({ stage, options }) => [stage, options]))).toMatchObject({
    filter: { reviews: join(out, 'none.jsonl'), userK: 2 },
    embed: { seed: 5 },
    sft: { epochs: 7, learningRate: 1e-3, seed: 5 },
    grpo: { seed: 5 },
  });
  const before = await planned('--config', file);
  expect(before).toMatchObject({ filter: { reviews: resolve('theirs.jsonl'), userK: 3 }, sft: stages.sft });
  expect(Object.keys(before)).not.toContain('grpo');
  await expect(planned('--config', file, '--method', 'rqvea')).rejects.toThrow('expected --method to be one of');
  await expect(planned('--config', file, '--converted', out)).rejects.toThrow('data from one place');
});

test('data that are there: folders joined, or published files with their index; enrichment by its name', async () => {
  const joined = await planned('--data', `${out},${out}/b`, '--out', join(out, 'j'), '--method', 'rqvae');
  expect(joined).toMatchObject({ join: { data: [out, join(out, 'b')] }, embed: {}, sid: { method: 'rqvae' } });
  const published = await planned('--converted', out, '--out', join(out, 'p'), '--seed', '3', '--enrich-model', 'm', '--enrich-base-url', 'http://x'); // prettier-ignore
  expect(Object.keys(published)).toEqual([
    ...['import', 'enrich', 'baseline popularity', 'baseline transition'],
    ...['convert', 'sft', 'evaluate', 'badcase'],
  ]);
  expect(published).toMatchObject({ import: { converted: out }, enrich: { model: 'm' }, sft: { seed: 3 } });
  expect(Object.keys(await planned('--converted', out, '--out', out, '--levels', '2'))).toContain('embed');
  await expect(planned(...own, '--converted', out)).rejects.toThrow(
    'data from one place, got filter.reviews and import',
  );
});

test('a filter beside data that are filtered already is refused', async () => {
  for (const source of [
    ['--converted', out],
    ['--data', out],
  ]) {
    await expect(planned(...source, '--out', join(out, 'q'), '--user-k', '3')).rejects.toThrow(
      `pipeline: filter.userK: nothing is filtered where data come from ${source[0] === '--data' ? 'join' : 'import'}`,
    );
  }
});

test('the seed reaches every stage that draws', async () => {
  const seeds = async (...args: string[]) => {
    const { values } = readCommandLine('pipeline', COMMANDS.pipeline!, args);
    const config = (await configOf(values)) as unknown as Record<string, Record<string, unknown> | undefined>;
    const drawing = STAGE_NAMES.filter((stage) => config[stage] && 'seed' in allOptions(STAGE_SCHEMAS[stage]));
    return Object.fromEntries(drawing.map((stage) => [stage, config[stage]!.seed]));
  };
  const all = ['--grpo', '--baselines', 'sasrec', '--sasrec-epochs', '2', '--compare-at', '5', '--rounds', '2'];
  expect(await seeds(...own, ...all, '--seed', '7')).toEqual({
    embed: 7,
    sid: 7,
    sasrec: 7,
    sft: 7,
    grpo: 7,
    compare: 7,
  });
  expect(await seeds(...own, '--seed', '7')).toEqual({ embed: 7, sid: 7, sasrec: 7, sft: 7, compare: 7 });
  expect(await seeds('--seed', '7')).toMatchObject({ sample: 7, embed: 7, sid: 7, sasrec: 7, sft: 7, grpo: 7 });
  const drops = ['--encoder', './bge', '--word-drop-ratio', '0.1', '--seed', '7'];
  const { values } = readCommandLine('pipeline', COMMANDS.pipeline!, [...own, ...drops]);
  expect((await configOf(values)).embed).toEqual({ encoder: './bge', wordDropRatio: 0.1, dropSeed: 7 });
});
