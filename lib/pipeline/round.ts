/** One round of a pipeline: from raw reviews to a results table, figures and bad cases. */
import { join } from 'node:path';
import type { BaselineReport } from '../baselines/baseline-stage.js';
import { QUICK_BASELINES } from '../baselines/baselines.js';
import { accessOf, type EnrichReport, estimateText } from '../data/enrich/enrich.js';
import { repeatsInFile } from '../evaluate/score/repeats-warning.js';
import { belowBaselines, besideBaselines } from '../evaluate/score/beside-baselines.js';
import { exportFigure } from '../figures/export-figure.js';
import { runStage } from '../runs/stage.js';
import { tell } from '../support/progress.js';
import { planTasks } from '../tasks/plan-tasks.js';
import type { GrpoReport } from '../train/grpo/grpo.js';
import { checkInitialModel } from '../train/sft/initial-model.js';
import { checkTrainable } from '../train/sft/trainable.js';
import { type Ask, Questions } from './ask.js';
import type { PipelineConfig } from './config.js';
import { pipelineFigures } from './pipeline-figures.js';
import type { PipelineReport } from './pipeline-report.js';
import { type ResultRow, resultRows } from './result-rows.js';
import { checkRewards } from './reward-needs.js';
import type { SourceName } from './source.js';
import { PipelineStages } from './stages.js';

/** Who hears and answers a round. */
export interface RoundHooks {
  /** Called with the name of each stage before it runs. */
  say: (stage: string) => void;
  /** Asks before what is costly. Default nobody is asked. */
  ask?: Ask | undefined;
}

/** A round's report, and its configuration with the answers that were given. */
export interface Round {
  report: PipelineReport;
  config: PipelineConfig;
}

/** @throws InputError where an answer is no: the same configuration goes on from there */
export async function runRound(given: PipelineConfig, { say, ask }: RoundHooks): Promise<Round> {
  const start = performance.now();
  const questions = new Questions(given.out, ask, given.again);
  let config = questions.apply(given);
  checkTraining(config);
  let stages = new PipelineStages(config);
  checkRewards(stages);
  const card = (run: string): string => join(stages.runs, run, 'card.json');
  const run = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    say(name);
    return work();
  };
  if (config.sample) await run('sample', () => stages.sample());
  const source = await run(stages.source, () => fromSource(stages));
  const enriched = config.enrich && (await enrichment(stages, questions, run));
  const baselines: Record<string, BaselineReport> = {};
  for (const name of config.baselines ?? QUICK_BASELINES) {
    baselines[name] = await run(`baseline ${name}`, () => stages.baseline(name));
  }
  const embed = stages.ownEmbeddings ? undefined : await run('embed', () => stages.embed());
  config = stages.ownIndex
    ? config
    : await questions.method(config, stages.index, stages.sidOptions.chosen?.method ?? 'rqkmeans');
  stages = new PipelineStages(config);
  const sid = stages.ownIndex ? undefined : await run('sid', () => stages.sid());
  await run('convert', () => stages.convert());
  await questions.mayRun('sft', 'supervised fine-tuning now?', card('sft'));
  const sft = await run('sft', () => stages.sft());
  const sftReport = await run('evaluate sft', () => stages.evaluate('sft'));
  const models: PipelineReport['models'] & Record<string, { results: string }> = { sft: sftReport };
  let last = sftReport;
  let tuned: GrpoReport | undefined;
  config = await questions.grpo(config, card('grpo'));
  stages = new PipelineStages(config);
  if (config.grpo) {
    tuned = await run('grpo', () => stages.grpo());
    models.grpo = last = await run('evaluate grpo', () => stages.evaluate('grpo'));
  }
  const badcase = config.badcase ? await run('badcase', () => stages.badcase(tuned ? 'grpo' : 'sft')) : undefined;
  const rows = resultRows(baselines, models);
  const beside = await besideBaselines(resultFiles(models), resultFiles(baselines));
  const lost = await repeatsInFile(last.results, { data: config.out, dataset: config.dataset, index: stages.index });
  const warnings = [...belowBaselines(beside), ...(lost === undefined ? [] : [lost])];
  warnings.forEach((line) => tell(line));
  const figures = await run('figures', () => drawFigures(stages, rows));
  const report: PipelineReport = {
    stages: {
      ...source,
      ...(enriched && { enrich: enriched }),
      ...(embed && { embed }),
      ...(sid && { sid }),
      sft,
      ...(tuned && { grpo: tuned }),
      ...(badcase && { badcase }),
    },
    evaluate: last,
    models,
    baselines,
    beside,
    warnings,
    results: last.results,
    figures: [...figures, ...(badcase?.figures.map((path) => `${path}.png`) ?? [])],
    seconds: (performance.now() - start) / 1000,
  };
  return { report, config };
}

/** Items and rows, from where the configuration says. */
async function fromSource(stages: PipelineStages): Promise<Pick<PipelineReport['stages'], SourceName>> {
  const { source } = stages;
  switch (source) {
    case 'filter':
      return { filter: await stages.filter() };
    case 'import':
      return { import: await stages.import() };
    case 'join':
      return { join: await stages.join() };
    default:
      throw source satisfies never;
  }
}

type Run = <T>(name: string, work: () => Promise<T>) => Promise<T>;

async function enrichment(stages: PipelineStages, questions: Questions, run: Run): Promise<EnrichReport> {
  const estimate = await stages.enrichEstimate();
  if (estimate.requests > 0) await questions.mayRun('enrich', `${estimateText(estimate)}; ask now?`, stages.answers);
  return run('enrich', () => stages.enrich());
}

function resultFiles(reports: Readonly<Record<string, { results: string }>>): Record<string, string> {
  return Object.fromEntries(Object.entries(reports).map(([name, { results }]) => [name, results]));
}

/** What fine-tuning would refuse, before the stages in front of it have run. @throws InputError */
export function checkTraining({ sft = {}, enrich }: PipelineConfig): void {
  const { model = 'qwen2:128x4' } = sft;
  planTasks(sft);
  if (enrich) accessOf(enrich);
  checkTrainable(model, sft);
  checkInitialModel(model, sft);
}

async function drawFigures(stages: PipelineStages, rows: readonly ResultRow[]): Promise<string[]> {
  const figures = await pipelineFigures(stages, rows);
  const paths = Object.keys(figures).map((name) => join(stages.figures, name));
  const outputs = paths.flatMap((path) => [`${path}.svg`, `${path}.png`]);
  await runStage({ name: 'figures', dir: stages.runs, inputs: [], options: figures, outputs }, async () => {
    for (const [name, figure] of Object.entries(figures)) await exportFigure(figure, join(stages.figures, name));
    return paths.length;
  });
  return paths.map((path) => `${path}.png`);
}
