/**
 * Paper tables filled on real data: MiniOneRec's on Industrial's raw rows, Beauty's on its published rows and index. Every
 * baseline that is trained with three seeds, the counted ones once. `sidlab table` is what runs; a run that was cut short
 * is resumed, and one that is done is not trained again.
 *
 * `SIDLAB_TABLES=beauty` (or several, by commas) and `SIDLAB_SEEDS=42` do less.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { evaluateStage, InputError, sft, type SftOptions } from 'sidlab';
import { readJson } from 'sidlab/files';
import { type FilledTable, stageResults, tableStage, toMarkdown } from 'sidlab/tables';
import { beautyShop } from '../beauty-shop.js';
import { industrialShop } from '../industrial-shop.js';
import type { Row } from '../row.js';
import { listedSeeds } from '../seeds.js';

interface Shop {
  /** Makes the data folder where it is not there yet. @returns its path */
  data: (seeds: readonly number[]) => Promise<string>;
  /** What the mean of the seeds is to reach, by model and metric; the others are reported. */
  goals: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const SHOPS: Readonly<Record<string, Shop>> = {
  minionerec: {
    data: async () => (await industrialShop('industrial-tables')).data,
    goals: { SASRec: { 'HR@10': 0.117, 'NDCG@10': 0.077 } },
  },
  beauty: {
    data: beautyTables,
    goals: {
      SASRec: { 'HR@10': 0.97 * 0.0705, 'NDCG@10': 0.97 * 0.0372 }, // of a plain PyTorch one on these rows
      TIGER: { 'HR@10': 0.0648, 'NDCG@10': 0.0384 },
      'decoder 256 x 4, 60 epochs': { 'HR@10': 0.0672, 'NDCG@10': 0.0364 },
    },
  },
};

/** @throws InputError for a table or seed that there is none of, or missing data */
export async function tablesBench(): Promise<Row[]> {
  const names = process.env.SIDLAB_TABLES ?? Object.keys(SHOPS).join();
  const seeds = listedSeeds('SIDLAB_SEEDS', [42, 43, 44]);
  const rows: Row[] = [];
  for (const name of names.split(',')) {
    const shop = SHOPS[name];
    if (!shop) throw new InputError(`SIDLAB_TABLES: expected any of ${Object.keys(SHOPS).join(', ')}, got ${name}`);
    const data = await shop.data(seeds);
    const report = await tableStage({ table: name, data: [data], run: true, seeds });
    console.error(toMarkdown(report));
    rows.push(...rowsOf(report, shop));
  }
  return rows;
}

const WIDE: Partial<SftOptions> = { model: 'qwen2:256x4', evalEpochs: 3, validRows: 2000 };

/** Runs of the language model: the defaults, and a wider one, for an hour and for two. */
const DECODERS: readonly (readonly [name: string, Partial<SftOptions>])[] = [
  ['sft', {}],
  ['decoder', { ...WIDE, dropout: 0.2, epochs: 30 }],
  ['decoder-long', { ...WIDE, dropout: 0.25, epochs: 60 }],
];

/** The language model is no baseline, which `tableStage` would train. */
async function beautyTables(seeds: readonly number[]): Promise<string> {
  const { data, index } = await beautyShop();
  for (const seed of seeds) {
    for (const [name, options] of DECODERS) {
      const run = join(data, 'runs', `${name}-${seed}`);
      const { model } = await sft({ data, index, seed, ...options, run });
      for (const excludeHistory of [false, true]) {
        const done = stageResults(run, 'sids', excludeHistory) !== undefined;
        if (!done) await evaluateStage({ data, index, model, excludeHistory });
      }
    }
  }
  return data;
}

/** In which a run computed: it says so where that is not float32. */
function precisionOf(results: string): Row['precision'] {
  const file = join(dirname(results), 'config.json');
  const { precision = 'float32' } = existsSync(file) ? readJson<{ precision?: Row['precision'] }>(file) : {};
  return precision;
}

function rowsOf({ table, datasets }: FilledTable, { goals }: Shop): Row[] {
  const rows = datasets.find(({ dir }) => dir !== undefined)!.rows;
  const transition = rows.find(({ model }) => model === 'Transition')!.measured!;
  return rows.flatMap(({ model, measured }) =>
    measured === undefined || model === 'Transition'
      ? []
      : table.metrics.map((unit): Row => {
          const [ours, peer] = [measured.mean[unit]!, transition.mean[unit]!];
          const goal = goals[model]?.[unit];
          const [least, most] = measured.spread[unit]!;
          const [low, high] = measured.intervals[unit]!;
          return {
            ...{ name: `${model} ${unit} over transition`, ours, peer, floor: null, unit, ratio: ours / peer },
            ...{ precision: precisionOf(measured.runs[0]!.results), peerPrecision: null, spread: most - least },
            goal: goal === undefined ? 'reported' : `at least ${goal.toFixed(4)}`,
            reached: goal === undefined || ours >= goal,
            note: `95 % interval ${low.toFixed(4)} to ${high.toFixed(4)}, ${measured.runs.length} runs`,
          };
        }),
  );
}
