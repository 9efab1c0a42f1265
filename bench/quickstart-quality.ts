/**
 * The quickstart's model on three sample catalogues: HR@10 against twice popularity's and against transition's and a
 * fifth, and the same weights on shuffled histories against popularity's and a fifth. Means of three seeds.
 */
import { evaluateStage, PipelineStages, quickstart, runPipeline } from 'sidlab';
import type { Row } from './row.js';

const SEEDS = [42, 43, 44];

export async function quickstartQuality(): Promise<Row[]> {
  const runs: Record<'sft' | 'shuffled' | 'popularity' | 'transition', number>[] = [];
  for (const seed of SEEDS) {
    const config = quickstart(seed);
    const report = await runPipeline(config, (stage) => console.error(`seed ${seed}: ${stage}`));
    const stages = new PipelineStages(config);
    const shuffled = await evaluateStage({
      data: config.out,
      index: stages.index,
      model: stages.model('sft'),
      shuffleHistories: seed,
      results: stages.results('sft-shuffled'),
    });
    runs.push({
      sft: report.models.sft!.item['HR@10']!,
      shuffled: shuffled.item['HR@10']!,
      popularity: report.baselines.popularity!.item['HR@10']!,
      transition: report.baselines.transition!.item['HR@10']!,
    });
    console.error(JSON.stringify({ seed, ...runs.at(-1) }));
  }
  const mean = (of: keyof (typeof runs)[number]): number => runs.reduce((sum, run) => sum + run[of], 0) / runs.length;
  const spread = (of: keyof (typeof runs)[number]): number =>
    Math.max(...runs.map((run) => run[of])) - Math.min(...runs.map((run) => run[of]));
  const row = (
    name: string,
    of: 'sft' | 'shuffled',
    peer: 'popularity' | 'transition',
    most: boolean,
    goal: number,
  ): Row => {
    const ratio = mean(of) / mean(peer);
    const reached = most ? ratio <= goal : ratio >= goal;
    return {
      name,
      ours: mean(of),
      peer: mean(peer),
      floor: null,
      precision: 'float32',
      peerPrecision: null,
      unit: 'HR@10',
      ratio,
      goal: `${most ? 'at most' : 'at least'} ${goal}`,
      reached,
      spread: spread(of),
    };
  };
  return [
    row('quickstart over popularity', 'sft', 'popularity', false, 2),
    row('quickstart over transition', 'sft', 'transition', false, 1.2),
    row('quickstart on shuffled histories', 'shuffled', 'popularity', true, 1.2),
  ];
}
