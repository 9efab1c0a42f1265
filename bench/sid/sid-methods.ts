/**
 * Which method makes the SIDs that a small model does best with: HR@10 on Industrial's test rows for every method and
 * for SIDs assigned at random, on identical rows, the same model and three of its seeds. LETTER gets the item
 * vectors of a SASRec that is trained first. A run that is cut short is resumed: indexes and models that are there stay.
 * SIDLAB_SID_METHODS=rvq,letter names methods, SIDLAB_BENCH_SEEDS how many seeds (3) or which (`2-3`).
 */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  baselineStage,
  evaluateStage,
  homeFolder,
  InputError,
  PipelineStages,
  Random,
  runStage,
  SID_METHODS,
  sft,
  sidStage,
} from 'sidlab';
import { sidTokens, writeIndex } from 'sidlab';
import { filterOutputs } from 'sidlab/data';
import { meanOf } from '../mean.js';
import { industrialRaw } from '../industrial-shop.js';
import type { Row } from '../row.js';
import { askedSeeds } from '../seeds.js';

/** The first seed is 42. */
const BEFORE_FIRST = 41;
const NAME = 'Industrial_and_Scientific';
/** The quickstart's model: two minutes a run on two cores. */
const RECIPE = {
  model: 'qwen2:64x2',
  epochs: 16,
  batchSize: 16,
  learningRate: 2e-3,
  warmupSteps: 40,
  dropout: 0.2,
  evalEpochs: 4,
} as const;

export async function sidMethods(): Promise<Row[]> {
  const home = join(homeFolder(), 'data/sid-methods');
  const stages = new PipelineStages({ out: home, dataset: NAME, filter: industrialRaw() });
  await stages.filter();
  const { items } = await stages.embed();
  const scores: Record<string, { hr: number[]; ndcg: number[] }> = {};
  const methods = askedMethods(['random', ...SID_METHODS.filter((method) => method !== 'one-code')]);
  const collaborative = await recommenderVectors(home);
  // seeds outside, so that a run that is cut short has every method as often
  for (const number of askedSeeds('SIDLAB_BENCH_SEEDS', 3)) {
    const seed = BEFORE_FIRST + number;
    for (const method of methods) {
      const data = join(home, method);
      const index = await makeIndex(method, data, home, stages.embeddings, items, collaborative);
      const { model } = await sft({ ...RECIPE, data, index, run: join(data, `runs/sft-${seed}`), seed });
      const { item } = await evaluateStage({ data, index, model });
      const score = (scores[method] ??= { hr: [], ndcg: [] });
      score.hr.push(item['HR@10']!);
      score.ndcg.push(item['NDCG@10']!);
      console.error(JSON.stringify({ method, seed, 'HR@10': item['HR@10'], 'NDCG@10': item['NDCG@10'] }));
    }
  }
  const peer = scores.random ? meanOf(scores.random.hr) : NaN;
  return Object.entries(scores).map(([method, { hr, ndcg }]) => ({
    name: `${method} (NDCG@10 ${meanOf(ndcg).toFixed(4)})`,
    ours: meanOf(hr),
    peer: Number.isNaN(peer) ? null : peer,
    floor: null,
    precision: 'float32',
    peerPrecision: 'float32',
    unit: 'HR@10',
    ratio: Number.isNaN(peer) ? null : meanOf(hr) / peer,
    goal: method === 'random' ? 'the peer' : 'at least 1.333',
    reached: method === 'random' || meanOf(hr) / peer >= 4 / 3,
    spread: Math.max(...hr) - Math.min(...hr),
  }));
}

function askedMethods(all: readonly string[]): readonly string[] {
  const asked = process.env.SIDLAB_SID_METHODS?.split(',') ?? all;
  const odd = asked.find((method) => !all.includes(method));
  if (odd === undefined) return asked;
  throw new InputError(`SIDLAB_SID_METHODS: expected any of ${all.join(', ')}, got ${odd}`);
}

/** The method's index in a data folder of its own, with the same items and rows. */
async function makeIndex(
  method: string,
  data: string,
  home: string,
  embeddings: string,
  items: number,
  collaborative: string,
): Promise<string> {
  const index = join(data, `${NAME}.index.json`);
  mkdirSync(data, { recursive: true });
  for (const file of filterOutputs(home, NAME)) copyFileSync(file, join(data, file.slice(home.length + 1)));
  const own = method === 'letter' ? { collaborative } : {};
  const inputs = [embeddings, ...Object.values(own)];
  await runStage({ name: 'sid', dir: data, inputs, options: { method }, outputs: [index] }, async () => {
    if (method === 'random') return writeIndex(index, randomSids(items));
    const report = await sidStage({ embeddings, index, method: method as (typeof SID_METHODS)[number], ...own });
    console.error(JSON.stringify(report));
  });
  return index;
}

/** Vectors of SASRec's items, as wide as the RQ-VAE's latent. */
async function recommenderVectors(home: string): Promise<string> {
  const file = join(home, 'runs/baseline-sasrec/model/item-vectors.npy');
  if (!existsSync(file)) await baselineStage({ baseline: 'sasrec', data: home, width: 32 });
  return file;
}

/** Distinct SIDs of three codes of 256, drawn by the seed. */
function randomSids(items: number): string[][] {
  const random = new Random('sid-methods');
  const drawn = new Map<string, number[]>();
  while (drawn.size < items) {
    const codes = [random.int(256), random.int(256), random.int(256)];
    drawn.set(codes.join(), codes);
  }
  return [...drawn.values()].map(sidTokens);
}
