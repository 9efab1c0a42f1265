/** All of the kit's baselines over given rows, for a table beside a model's results. */
import type { RankBaselines } from '../evaluate/score/beside-baselines.js';
import { type ScoreReport, scoreStage } from '../evaluate/score/score-stage.js';
import type { ScoreOptions } from '../evaluate/score/score-options.js';
import { BASELINES } from './baselines.js';

/** Trained on the data set's training rows, as `sidlab baseline` does. */
export const rankBaselines: RankBaselines = ({ train }, rows, topK) =>
  Promise.resolve(Object.fromEntries(BASELINES.map(({ name, rank }) => [name, rank(train, rows, { topK })])));

/** `scoreStage` with the baselines beside each file, where there is a data folder. @throws InputError as `scoreStage` */
export function scoreBesideBaselines(options: ScoreOptions): Promise<ScoreReport> {
  return scoreStage(options, rankBaselines);
}
