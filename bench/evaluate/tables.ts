/**
 * MiniOneRec's paper table on Industrial's raw rows: every baseline that is trained with three seeds, the counted ones
 * once. `sidlab table` is what runs; a run that was cut short is resumed, and one that is done is not trained again.
 */
import { tableStage, toMarkdown } from 'sidlab/tables';
import { industrialShop } from '../industrial-shop.js';
import type { Row } from '../row.js';

/** What the mean of three seeds is to reach; of the others the values are reported. */
const GOALS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  SASRec: { 'HR@10': 0.117, 'NDCG@10': 0.077 },
};

export async function tablesBench(): Promise<Row[]> {
  const { data } = await industrialShop('industrial-tables');
  const report = await tableStage({ table: 'minionerec', data: [data], run: true });
  console.error(toMarkdown(report));
  const [industrial] = report.datasets;
  const transition = industrial!.rows.find(({ model }) => model === 'Transition')!.measured!;
  return industrial!.rows.flatMap(({ model, measured }) =>
    measured === undefined || model === 'Transition'
      ? []
      : report.table.metrics.map((unit): Row => {
          const [ours, peer] = [measured.mean[unit]!, transition.mean[unit]!];
          const goal = GOALS[model]?.[unit];
          const [least, most] = measured.spread[unit]!;
          const [low, high] = measured.intervals[unit]!;
          return {
            ...{ name: `${model} ${unit} over transition`, ours, peer, floor: null, unit, ratio: ours / peer },
            ...{ precision: 'float32', peerPrecision: null, spread: most - least },
            goal: goal === undefined ? 'reported' : `at least ${goal}`,
            reached: goal === undefined || ours >= goal,
            note: `95 % interval ${low.toFixed(4)} to ${high.toFixed(4)}, ${measured.runs.length} runs`,
          };
        }),
  );
}
