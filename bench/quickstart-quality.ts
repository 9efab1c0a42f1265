/**
 * The quickstart's models on three sample catalogues: HR@10 after fine-tuning against twice popularity's and against
 * transition's and a fifth, and the same weights on shuffled histories against popularity's and a fifth; NDCG@10 after GRPO
 * against fine-tuning's, and after fine-tuning against SASRec's. Means of three seeds.
 */
import { evaluateStage, PipelineStages, quickstart, runPipeline } from 'sidlab';
import { meanOf } from './mean.js';
import type { Row } from './row.js';

const SEEDS = [42, 43, 44];

type Of = 'sft' | 'shuffled' | 'popularity' | 'transition' | 'sft NDCG' | 'grpo NDCG' | 'sasrec NDCG';

export async function quickstartQuality(): Promise<Row[]> {
  const runs: Record<Of, number>[] = [];
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
      'sft NDCG': report.models.sft!.item['NDCG@10']!,
      'grpo NDCG': report.models.grpo!.item['NDCG@10']!,
      'sasrec NDCG': report.baselines.sasrec!.item['NDCG@10']!,
    });
    console.error(JSON.stringify({ seed, ...runs.at(-1) }));
  }
  const mean = (of: Of): number => meanOf(runs.map((run) => run[of]));
  const spread = (of: Of): number => Math.max(...runs.map((run) => run[of])) - Math.min(...runs.map((run) => run[of]));
  const row = (name: string, of: Of, peer: Of, most: boolean, goal: number): Row => {
    const ratio = mean(of) / mean(peer);
    const reached = most ? ratio <= goal : ratio >= goal;
    return {
      name,
      ours: mean(of),
      peer: mean(peer),
      floor: null,
      precision: 'float32',
      peerPrecision: null,
      unit: of.endsWith('NDCG') ? 'NDCG@10' : 'HR@10',
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
    row('quickstart, GRPO over SFT', 'grpo NDCG', 'sft NDCG', false, 1.03),
    row('quickstart, SFT over SASRec', 'sft NDCG', 'sasrec NDCG', false, 1),
  ];
}
