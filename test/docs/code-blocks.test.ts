/** Every TypeScript block of the documents and every cell of the notebooks compiles as tslab compiles it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linkPackage } from '../../kernels/setup/notebook-link.mjs';
import { blocksOf, cellChecker, type CellChecker, markdownBlocks } from './code-blocks.js';

const ROOT = join(import.meta.dirname, '../..');
const NOTEBOOKS = join(ROOT, 'notebooks');

const filesIn = (folder: string, ending: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));

const documents = [...filesIn(ROOT, '.md'), ...filesIn(join(ROOT, 'docs'), '.md'), ...filesIn(NOTEBOOKS, '.ipynb')];

let checker: CellChecker;
const before = process.cwd();

beforeAll(() => {
  if (!existsSync(join(ROOT, 'dist/index.d.ts'))) throw new Error('no dist/index.d.ts: npm run build, then test again');
  linkPackage();
  checker = cellChecker(NOTEBOOKS);
});

afterAll(() => {
  checker?.close();
  process.chdir(before);
});

test.each(documents.map((file) => relative(ROOT, file)))('%s', (name) => {
  // The types are those of dist: after an edit of lib, npm run build comes first.
  expect(checker.errors(blocksOf(join(ROOT, name)))).toEqual([]);
});

test('README has a first cell, and the notebooks have many', () => {
  expect(markdownBlocks(readFileSync(join(ROOT, 'README.md'), 'utf8')).length).toBeGreaterThan(0);
  expect(documents.filter((file) => file.endsWith('.ipynb')).flatMap(blocksOf).length).toBeGreaterThan(50);
});

test('a block of another type, a missing name and a name of an earlier block are distinguished', () => {
  const text =
    '# Title\n\n```ts\nconst a: number = 1;\n```\n\n```ts\nconst b: string = a;\nc;\n```\n\n```json\n{}\n```\n';
  const blocks = markdownBlocks(text);
  expect(blocks.map(({ at }) => at)).toEqual([4, 8]);
  expect(checker.errors(blocks)).toEqual([
    "8:1 TS2322 Type 'number' is not assignable to type 'string'.",
    "8:2 TS2304 Cannot find name 'c'.",
  ]);
});

/** What a notebook has at hand, by room: reports, rows, results, tables. */
const RESULTS = {
  data: ['FilterReport', 'Dataset', 'Row', 'Item'],
  embed: ['EmbedReport'],
  sid: ['SidReport'],
  train: ['SftReport', 'GrpoReport', 'RunComparison', 'RunSummary', 'RunCard'],
  evaluate: ['EvaluateReport', 'GenerateReport', 'Result'],
  baselines: ['BaselineReport'],
  badcase: ['BadCaseReport', 'BadCases'],
  runs: ['MetricLine'],
  files: ['Vectors'],
  engine: ['DoctorReport'],
};

test('tables and data frames of every result, one or many', () => {
  const imports = Object.entries(RESULTS).map(
    ([room, types]) => `import type { ${types.join(', ')} } from 'sidlab/${room}';`,
  );
  const types = [...Object.values(RESULTS).flat(), 'Map<string, number>', 'Float32Array', 'number[]', 'string[][]'];
  const uses = types.flatMap((type, i) => [
    `const v${i} = undefined as unknown as ${type};`,
    `showTable(v${i}); showTable([v${i}]); toTable([v${i}]); metricBars([v${i}]);`,
  ]);
  const source = [
    ...imports,
    "import { metricBars, showTable, toDataFrame, toTable } from 'sidlab/figures';",
    "import * as aq from 'arquero';",
    ...uses,
    "const table: aq.ColumnTable = toTable([{ a: 1 }]).filter('d => d.a > 0');",
    'showTable(table);',
    'const frame = await toDataFrame(table);',
    "showTable(frame); toTable(frame.describe()); showTable([1, 'a', null]);",
  ].join('\n');
  expect(checker.errors([{ at: 1, source }])).toEqual([]);
  expect(
    checker.errors([{ at: 1, source: "import * as s from 'sidlab/figures';\ns.showTable('text');" }]),
  ).toHaveLength(1);
});
