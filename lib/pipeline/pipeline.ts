/**
 * The whole pipeline: from raw reviews to a results table, figures and bad cases.
 */
import { join } from 'node:path';
import type { BadCaseReport } from '../badcase/bad-case-report.js';
import type { BaselineReport } from '../baselines/baseline-stage.js';
import { QUICK_BASELINES } from '../baselines/baselines.js';
import type { FilterReport } from '../data/filter/filter-stage.js';
import type { EmbedReport } from '../embed/embed-items.js';
import type { EvaluateReport } from '../evaluate/evaluate.js';
import { exportFigure } from '../figures/export-figure.js';
import { runStage } from '../runs/stage.js';
import { tell } from '../support/progress.js';
import type { SidReport } from '../sid/sid-stage.js';
import type { GrpoReport } from '../train/grpo/grpo.js';
import { checkInitialModel } from '../train/sft/initial-model.js';
import type { SftReport } from '../train/sft/sft.js';
import { checkTrainable } from '../train/sft/trainable.js';
import { planTasks } from '../tasks/plan-tasks.js';
import { belowBaselines, type BesideBaseline, besideBaselines } from '../evaluate/score/beside-baselines.js';
import type { PipelineConfig } from './config.js';
import { pipelineFigures } from './pipeline-figures.js';
import { type ResultRow, resultRows } from './result-rows.js';
import { PipelineStages } from './stages.js';

/** What `runPipeline` gives back: the report of every stage, the results table, and the files. */
export interface PipelineReport {
  /** Report of each stage that ran. */
  stages: {
    filter: FilterReport;
    /** Absent where the configuration names one's own vectors or index. */
    embed?: EmbedReport;
    /** Absent where it names one's own index. */
    sid?: SidReport;
    sft: SftReport;
    grpo?: GrpoReport;
    badcase?: BadCaseReport;
  };
  /** Metrics of the last model: GRPO's where it ran, else SFT's. */
  evaluate: EvaluateReport;
  /** Metrics of every model that was trained. */
  models: Record<string, EvaluateReport>;
  /** Reports of the baselines, by name. */
  baselines: Record<string, BaselineReport>;
  /** Each model beside each baseline, over the same rows. */
  beside: BesideBaseline[];
  /** Lines about models that are below a baseline. */
  warnings: string[];
  /** File of the last model's results. */
  results: string;
  /** Files. */
  figures: string[];
  /** In all. */
  seconds: number;
}

/** @param say called with the name of each stage before it runs */
export async function runPipeline(
  config: PipelineConfig,
  say: (stage: string) => void = () => {},
): Promise<PipelineReport> {
  const start = performance.now();
  const stages = new PipelineStages(config);
  checkTraining(config);
  const run = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    say(name);
    return work();
  };
  if (config.sample) await run('sample', () => stages.sample());
  const filter = await run('filter', () => stages.filter());
  const baselines: Record<string, BaselineReport> = {};
  for (const name of config.baselines ?? QUICK_BASELINES) {
    baselines[name] = await run(`baseline ${name}`, () => stages.baseline(name));
  }
  const embed = stages.ownEmbeddings ? undefined : await run('embed', () => stages.embed());
  const sid = stages.ownIndex ? undefined : await run('sid', () => stages.sid());
  await run('convert', () => stages.convert());
  const sft = await run('sft', () => stages.sft());
  const sftReport = await run('evaluate sft', () => stages.evaluate('sft'));
  const models: PipelineReport['models'] & Record<string, { results: string }> = { sft: sftReport };
  let last = sftReport;
  let tuned: GrpoReport | undefined;
  if (config.grpo) {
    tuned = await run('grpo', () => stages.grpo());
    models.grpo = last = await run('evaluate grpo', () => stages.evaluate('grpo'));
  }
  const badcase = config.badcase ? await run('badcase', () => stages.badcase(tuned ? 'grpo' : 'sft')) : undefined;
  const rows = resultRows(baselines, models);
  const beside = await besideBaselines(resultFiles(models), resultFiles(baselines));
  const warnings = belowBaselines(beside);
  warnings.forEach((line) => tell(line));
  const figures = await run('figures', () => drawFigures(stages, rows));
  return {
    stages: {
      filter,
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
}

function resultFiles(reports: Readonly<Record<string, { results: string }>>): Record<string, string> {
  return Object.fromEntries(Object.entries(reports).map(([name, { results }]) => [name, results]));
}

/** What fine-tuning would refuse, before the stages in front of it have run. @throws InputError */
export function checkTraining({ sft = {} }: PipelineConfig): void {
  const { model = 'qwen2:128x4' } = sft;
  planTasks(sft);
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
