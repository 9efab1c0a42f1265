/** What a pipeline has done: the report of every stage, and the files. */
import type { BadCaseReport } from '../badcase/bad-case-report.js';
import type { BaselineReport } from '../baselines/baseline-stage.js';
import type { CompareReport } from '../compare/compare-report.js';
import type { EnrichReport } from '../data/enrich/enrich.js';
import type { FilterReport } from '../data/filter/filter-stage.js';
import type { ImportConvertedReport } from '../data/import-converted.js';
import type { JoinReport } from '../data/join/join-datasets.js';
import type { EmbedReport } from '../embed/embed-items.js';
import type { EvaluateReport } from '../evaluate/evaluate.js';
import type { BesideBaseline } from '../evaluate/score/beside-baselines.js';
import type { SidReport } from '../sid/sid-stage.js';
import type { GrpoReport } from '../train/grpo/grpo.js';
import type { SftReport } from '../train/sft/sft.js';
import type { StrategiesReport } from './rounds.js';

/** What `runPipeline` gives back: the report of every stage, the results table, and the files. */
export interface PipelineReport {
  /** Report of each stage that ran. */
  stages: {
    /** Of the stage that the data came from: one of three. */
    filter?: FilterReport;
    import?: ImportConvertedReport;
    join?: JoinReport;
    enrich?: EnrichReport;
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
  /** Lines about models that are below a baseline, and one where the protocol costs the last one places or targets. */
  warnings: string[];
  /** File of the last model's results. */
  results: string;
  /** Files. */
  figures: string[];
  /** Strategies that the first round's bad cases call for. */
  strategies?: StrategiesReport;
  /** Reports of all rounds, the first one among them, where there are several. */
  rounds?: PipelineReport[];
  /** Of the last models of the rounds. */
  comparison?: CompareReport;
  /** In all. */
  seconds: number;
}
