/**
 * `npm run bench -- NAME... [--json]`: one row a name, ours beside a peer measured in the same run.
 *
 * Every row says processor and precision. `ratio` is ours over peer; `goal` what it is to reach.
 */
import { cpus } from 'node:os';
import { tableText, useEngine } from 'sidlab';
import { balancedAssignBench } from './balanced-assign.js';
import { embedBench } from './embed.js';
import { filterBench } from './filter.js';
import { generateBench } from './generate.js';
import { industrialQuality } from './industrial-quality.js';
import { kmeansLarge } from './kmeans-large.js';
import { kmeansBench } from './kmeans.js';
import { loadBench } from './load.js';
import { quickstartQuality } from './quickstart-quality.js';
import { rqkmeansConstrained } from './rqkmeans-constrained.js';
import { rqkmeansPlusBench } from './rqkmeans-plus.js';
import { rqvaeBench } from './rqvae.js';
import { scaleBench } from './scale.js';
import { sftQuality } from './sft-quality.js';
import { sftReal } from './sft-real.js';
import { sftSmall } from './sft-small.js';
import { sftStep } from './sft-step.js';
import { sidDatasets } from './sid-datasets.js';
import { sidMethods } from './sid-methods.js';
import { taskQuality } from './task-quality.js';
import { trainEstimate } from './train-estimate.js';

export interface Row {
  name: string;
  ours: number;
  /** Null where the peer could not run; `note` says why. */
  peer: number | null;
  /** What no implementation can beat, where it was measured. */
  floor: number | null;
  unit: string;
  ratio: number | null;
  goal: string;
  reached: boolean;
  /** Of ours over its repetitions: largest minus smallest. */
  spread: number;
  /** In a line: what both reached, or why the peer is missing. */
  note?: string;
}

const BENCHMARKS: Record<string, () => Promise<Row[]>> = {
  filter: filterBench,
  embed: embedBench,
  'quickstart-quality': quickstartQuality,
  'industrial-quality': industrialQuality,
  'sid-methods': sidMethods,
  'sid-datasets': sidDatasets,
  'rqkmeans-constrained': rqkmeansConstrained,
  load: loadBench,
  generate: generateBench,
  'sft-quality': sftQuality,
  'sft-real': sftReal,
  'sft-small': sftSmall,
  'task-quality': taskQuality,
  'train-estimate': trainEstimate,
  'sft-step': sftStep,
  'sft-memory': sftStep,
  'kmeans-large': kmeansLarge,
  rqvae: rqvaeBench,
  'rqkmeans-plus': rqkmeansPlusBench,
  kmeans: kmeansBench,
  'balanced-assign': balancedAssignBench,
  scale: scaleBench,
};

const args = process.argv.slice(2);
const json = args.includes('--json');
const asked = args.filter((arg) => arg !== '--json');
const unknown = asked.filter((name) => !Object.hasOwn(BENCHMARKS, name));
if (asked.length === 0 || unknown.length > 0) {
  console.error(`bench: expected names of ${Object.keys(BENCHMARKS).join(', ')}, got ${unknown.join(', ') || 'none'}`);
  process.exit(1);
}
const engine = await useEngine();
const machine = { cpu: cpus()[0]?.model.trim() ?? 'unknown', engine, precision: 'float32' };
for (const name of asked) {
  const rows = (await BENCHMARKS[name]!()).map((row) => ({ ...row, ...machine }));
  console.log(json ? rows.map((row) => JSON.stringify(row)).join('\n') : tableText(rows));
}
