/**
 * Does a pretrained language model recommend better than the same shape from random weights, and where? SmolLM2-135M on
 * Industrial's raw rows; ablations with one seed, the pair itself with as many as are asked for. The last model of a
 * run counts, whose learning rate has fallen to nothing; test rows are ranked by 20 beams. Every run is kept in `data/pretrained-quality`, and a second
 * call goes on where the first was cut short, within a run too.
 *
 * `SIDLAB_ARMS=full,random` names arms (default all, and SASRec beside the transition baseline), `SIDLAB_MINUTES=20` the time of each, of two quiet cores,
 * `SIDLAB_SEEDS=42,43,44` the seeds of the first two (default 42).
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { baselineStage, evaluateStage, generateStage, InputError, readJson, readResults, sft } from 'sidlab';
import { compareStage } from 'sidlab/compare';
import { meanOf } from '../mean.js';
import { industrialShop } from '../industrial-shop.js';
import type { Row } from '../row.js';
import { listedSeeds } from '../seeds.js';
import { type Arm, ARMS, optionsOf } from './arms.js';
import { bareFolder, pretrainedFile } from './weights.js';

/** Arms that run with every seed. */
const PAIR = ['full', 'random'];
const BEAMS = 20;
const TEXTS = ['sid2title', 'title2sid', 'titles2title'];

interface Shop {
  data: string;
  index: string;
}

/** A side of the comparison: results files, one a seed. */
interface Side {
  name: string;
  files: string[];
  note: string;
  /** What its products were computed in. */
  precision: string;
}

export async function pretrainedQuality(): Promise<Row[]> {
  const { arms, minutes, seeds } = asked();
  pretrainedFile();
  const shop = await industrialShop('pretrained-quality');
  const sides: Side[] = [];
  for (const arm of arms) {
    const of = PAIR.includes(arm.name) ? seeds : seeds.slice(0, 1);
    const files: string[] = [];
    for (const seed of of) files.push(await resultsOf(shop, arm, minutes, seed));
    const { precision = 'float32' } = readJson<{ precision?: string }>(join(dirname(files[0]!), 'config.json'));
    sides.push({ name: arm.name, files, note: arm.what, precision });
  }
  const baselines = arms.length < ARMS.length ? (['transition'] as const) : (['transition', 'sasrec'] as const);
  for (const baseline of baselines) sides.push(await baselineSide(shop, baseline));
  const compared = await compareStage({
    ...{ files: sides.map(({ files }) => files.join()), names: sides.map(({ name }) => name), data: shop.data },
    out: join(shop.data, `comparison-${minutes}.json`),
  });
  console.error(`slices and paired tests: ${compared.files.join(' ')}`);
  return (await Promise.all(sides.map(rowsOf))).flat();
}

function asked(): { arms: Arm[]; minutes: number; seeds: readonly number[] } {
  const { SIDLAB_ARMS: names, SIDLAB_MINUTES: time = '20' } = process.env;
  const known = ARMS.map(({ name }) => name);
  const chosen = names?.split(',') ?? known;
  const odd = chosen.find((name) => !known.includes(name));
  if (odd !== undefined) throw new InputError(`SIDLAB_ARMS: expected any of ${known.join(', ')}, got ${odd}`);
  const minutes = Number(time);
  if (!(minutes > 0)) throw new InputError(`SIDLAB_MINUTES: expected a number above 0, got ${time}`);
  return { arms: ARMS.filter(({ name }) => chosen.includes(name)), minutes, seeds: listedSeeds('SIDLAB_SEEDS', [42]) };
}

/** Test results of an arm, which is trained where it is not there yet. */
async function resultsOf(shop: Shop, arm: Arm, minutes: number, seed: number): Promise<string> {
  const run = runOf(shop, arm.name, minutes, seed);
  const results = join(run, 'test.jsonl');
  if (existsSync(results)) return results;
  const trained = await sft({ ...shop, ...optionsOf(arm, minutes), ...start(shop, arm, minutes, seed), run, seed });
  const { model, seconds, tokens, steps, best } = trained;
  const { item, intervals } = await evaluateStage({ ...shop, model, results, numBeams: BEAMS });
  const both = (metric: string): unknown => [item[metric], intervals.item[metric]];
  console.error(
    JSON.stringify({ arm: arm.name, seed, minutes: seconds / 60, tokens, steps, best, 'HR@10': both('HR@10'), 'NDCG@10': both('NDCG@10') }), // prettier-ignore
  );
  if (arm.options?.tasks) await writeTexts(shop, model, run);
  return results;
}

function runOf({ data }: Shop, name: string, minutes: number, seed: number): string {
  return join(data, 'runs', `${name}-${name.startsWith('small') ? '' : `${minutes}-`}${seed}`);
}

function start(shop: Shop, { from }: Arm, minutes: number, seed: number): { model?: string } {
  if (from === 'small') return {};
  if (from === 'pretrained') return { model: pretrainedFile() };
  if (from === 'random') return { model: bareFolder(join(shop.data, 'shape')) };
  const model = join(runOf(shop, from.arm, minutes, seed), 'model');
  if (existsSync(model)) return { model };
  throw new InputError(`SIDLAB_ARMS: expected ${from.arm} among them, which another of them starts from`);
}

/** What a model of several tasks writes of held-out items and rows: metrics, and ten of each to read. */
async function writeTexts(shop: Shop, model: string, run: string): Promise<void> {
  for (const task of TEXTS) {
    const results = join(run, `texts-${task}.jsonl`);
    const { text, sid, examples } = await generateStage({ ...shop, model, task, limit: 200, maxTokens: 48, results });
    console.error(JSON.stringify({ task, ...(text ?? sid), examples }));
  }
}

async function baselineSide({ data }: Shop, baseline: 'transition' | 'sasrec'): Promise<Side> {
  const results = join(data, 'runs', `baseline-${baseline}`, 'results.jsonl');
  if (!existsSync(results)) await baselineStage({ baseline, data, results });
  return { name: baseline, files: [results], note: 'baseline', precision: 'float32' };
}

async function rowsOf({ name, files, note, precision }: Side): Promise<Row[]> {
  const runs = await Promise.all(files.map((file) => readResults(file)));
  return (['HR@10', 'NDCG@10'] as const).map((unit) => {
    const values = runs.map((run) => meanOf(run.map(({ items, target }) => gain(items.indexOf(target), unit))));
    const seeds = files.length > 1 ? `, ${files.length} seeds` : '';
    return {
      ...{ name: `${name} ${unit}${seeds}`, ours: meanOf(values), peer: null, floor: null, unit, ratio: null },
      ...{ goal: 'reported', reached: true, spread: Math.max(...values) - Math.min(...values) },
      ...{ precision, peerPrecision: null, note: `${note}: ${values.map((x) => x.toFixed(4)).join(' ')}` },
    };
  });
}

function gain(rank: number, unit: 'HR@10' | 'NDCG@10'): number {
  if (rank < 0 || rank >= 10) return 0;
  return unit === 'HR@10' ? 1 : 1 / Math.log2(rank + 2);
}
