/** The counting baselines over the rows of a model's results, beside them. */
import { first } from '../cluster/alone.js';
import { joinCluster } from '../cluster/cluster.js';
import { ranksApart } from '../evaluate/apart/evaluate-apart.js';
import type { EvaluateStageOptions } from '../evaluate/evaluate-options.js';
import { type EvaluateStageReport, evaluateStage } from '../evaluate/evaluate-stage.js';
import type { BesideBaseline, RankBaselines } from '../evaluate/score/beside-baselines.js';
import { type ScoreReport, scoreStage } from '../evaluate/score/score-stage.js';
import type { ScoreOptions } from '../evaluate/score/score-options.js';
import { rankApart } from './apart.js';
import { POPULARITY } from './popularity.js';
import { withAssistant } from './sequence/with-assistant.js';
import { TRANSITION } from './transition.js';

/** Counted in the data set's training rows, as `sidlab baseline` does; in a joined folder in those of the row's own data set. */
export const rankBaselines: RankBaselines = (dataset, rows, topK) =>
  Promise.resolve(
    Object.fromEntries(
      [POPULARITY, TRANSITION].map(({ name, rank }) => [
        name,
        rankApart(dataset, rows, ({ train }, own) => rank(train, own, { topK })),
      ]),
    ),
  );

/** `scoreStage` with the baselines beside each file, where there is a data folder. @throws InputError as `scoreStage` */
export function scoreBesideBaselines(options: ScoreOptions): Promise<ScoreReport> {
  return scoreStage(options, rankBaselines);
}

/** An evaluation, and what counting reaches on the same rows. */
export interface EvaluateBesideReport extends EvaluateStageReport {
  /** NDCG beside that of each baseline, by the paired test; absent for a share and for a task about items. */
  beside?: BesideBaseline[];
  /** A line for each baseline that the model is below, and one where the protocol costs places or targets. */
  warnings?: string[];
}

/** `evaluateStage`, and what it says of a model that counting beats. @throws InputError as `evaluateStage` */
export async function evaluateBesideBaselines(options: EvaluateStageOptions): Promise<EvaluateBesideReport> {
  const place = { ...options, apart: options.assistant === undefined || ranksApart(options) };
  const report = await withAssistant(options.assistant, place, (assistant) =>
    evaluateStage({ ...options, ...(assistant && { assistant }) }),
  );
  if (options.shard !== undefined) return report;
  const { data, dataset, index, part } = options;
  const given = {
    data,
    ...(dataset !== undefined && { dataset }),
    ...(index !== undefined && { index }),
    ...(part !== undefined && { part }),
  };
  const scored = { ...given, files: [report.results], k: [1], samples: 100 };
  const { beside, warnings } = await first(await joinCluster(), async () => {
    const { files } = await scoreBesideBaselines(scored);
    return files[0]!;
  });
  return { ...report, ...(beside && { beside }), ...(warnings && { warnings }) };
}
