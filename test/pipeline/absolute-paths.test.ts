/** Files that a configuration names, whatever the stage and the option. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../lib/cli/commands.js';
import { configOf } from '../../lib/cli/pipeline-command.js';
import type { Option, Options } from '../../lib/options/option.js';
import { allOptions } from '../../lib/options/schema.js';
import { writeJson } from '../../lib/files/files.js';
import { withAbsolutePaths } from '../../lib/pipeline/absolute-paths.js';
import { readPipelineConfig, type PipelineConfig } from '../../lib/pipeline/config.js';
import { PipelineStages } from '../../lib/pipeline/stages.js';
import { PIPELINE_OPTIONS, STAGE_NAMES, STAGE_SCHEMAS } from '../../lib/pipeline/pipeline-options.js';

const isList = ({ schema }: Option): boolean => schema.type === 'array';

/** Options of each stage, and of the pipeline itself. */
const places = Object.entries({
  pipeline: PIPELINE_OPTIONS,
  ...Object.fromEntries(STAGE_NAMES.map((stage): [string, Options] => [stage, allOptions(STAGE_SCHEMAS[stage])])),
});
const named = places.flatMap(([stage, options]) =>
  Object.entries(options).map(([name, option]) => ({ stage, name, option })),
);

test.each(named.filter(({ option }) => option.path))('$stage $name is absolute', ({ stage, name, option }) => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-paths-'));
  if (option.path === 'maybe') writeFileSync(join(folder, 'a.npy'), ''); // the others need not be there yet
  const there = relative(process.cwd(), join(folder, 'a.npy'));
  const given = isList(option) ? [there, there] : there;
  const config = stage === 'pipeline' ? { [name]: given } : { out: 'o', dataset: 'd', [stage]: { [name]: given } };
  const made = withAbsolutePaths(config as never) as unknown as Record<string, Record<string, unknown>>;
  const got = stage === 'pipeline' ? made[name] : made[stage]![name];
  expect(got).toEqual(isList(option) ? [join(folder, 'a.npy'), join(folder, 'a.npy')] : join(folder, 'a.npy'));
});

test('what only may be a file stays as it is where there is none, and where a bare name could be a word', () => {
  const asked: PipelineConfig = {
    out: 'o',
    dataset: 'd',
    embed: { encoder: 'lsa' },
    sft: { model: 'qwen2:64x2' },
    evaluate: { assistant: 'test' }, // a folder is there, and a baseline could be called so
  };
  const { embed, sft, evaluate } = withAbsolutePaths(asked);
  expect([embed, sft, evaluate]).toEqual([asked.embed, asked.sft, asked.evaluate]);
  expect(withAbsolutePaths({ ...asked, embed: { encoder: 'BAAI/bge-m3' } }).embed).toEqual({ encoder: 'BAAI/bge-m3' });
  expect(withAbsolutePaths({ ...asked, sft: { model: './test' } }).sft).toEqual({ model: resolve('test') });
});

test('stages are the same of a relative folder and of an absolute one; an empty path is refused', () => {
  const asked = { out: 'rel', dataset: 'd', filter: { reviews: 'r.csv' } };
  const { config, index, runs } = new PipelineStages(asked);
  expect([config.out, config.filter!.reviews, index]).toEqual([
    resolve('rel'),
    resolve('r.csv'),
    resolve('rel/d.index.json'),
  ]);
  expect(runs).toBe(resolve('rel/runs/main'));
  expect(() => new PipelineStages(withAbsolutePaths({ ...asked, out: '' }))).toThrow('expected out to be a text');
});

test('a function stays', () => {
  const assistant = (): number[][] => [];
  const config = { out: 'o', dataset: 'd', evaluate: { assistant } };
  expect(withAbsolutePaths(config as PipelineConfig).evaluate).toEqual({ assistant });
});

test('flags and configuration files have absolute paths alike', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-paths-'));
  const there = (name: string): string => relative(process.cwd(), join(folder, name));
  const [out, preferences, rowColumns] = [there('o'), there('p.jsonl'), there('c.csv')];
  const sft = { preferences, rowColumns, rowWeights: 'column:price' };
  writeJson(join(folder, 'config.json'), { out, dataset: 'd', filter: { reviews: there('r*.csv') }, sft });
  const absolute = { preferences: join(folder, 'p.jsonl'), rowColumns: join(folder, 'c.csv') };
  const read = readPipelineConfig(join(folder, 'config.json'));
  expect(read).toMatchObject({ out: join(folder, 'o'), filter: { reviews: join(folder, 'r*.csv') }, sft: absolute });
  const flags = {
    out,
    reviews: there('r*.csv'),
    preferences,
    sftRowColumns: rowColumns,
    sftRowWeights: 'column:price',
    method: 'letter',
    collaborative: there('v.npy'),
  };
  const made = await configOf(flags);
  expect(made).toMatchObject({ out: join(folder, 'o'), sft: absolute, sid: { collaborative: join(folder, 'v.npy') } });
});

/** Texts whose help speaks of files of other things. */
const NO_PATHS = ['format', 'encoding', 'dataset', 'part', 'dtype'];

test('every option whose help speaks of a file or folder is declared as one', () => {
  const every = Object.entries(COMMANDS).flatMap(([name, { schema }]) =>
    Object.entries(allOptions(schema)).map(([option, of]) => ({ stage: name, name: option, option: of })),
  );
  const texts = [...named, ...every].filter(({ option: { schema, words, data } }) => {
    const items = schema.items as { type?: string } | undefined;
    return data && words === undefined && [schema.type, items?.type].flat().includes('string');
  });
  const speaks = texts.filter(
    ({ name, option }) => /\b(files?|folders?)\b|\.npy/i.test(option.help) && !NO_PATHS.includes(name),
  );
  expect(speaks.length).toBeGreaterThan(40);
  expect(speaks.filter(({ option }) => option.path === undefined).map(({ stage, name }) => `${stage} ${name}`)).toEqual(
    [],
  );
});
