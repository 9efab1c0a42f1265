/** The counting baselines over given rows, for a table beside a model's results. */
import type { RankBaselines } from '../evaluate/score/beside-baselines.js';
import { type ScoreReport, scoreStage } from '../evaluate/score/score-stage.js';
import type { ScoreOptions } from '../evaluate/score/score-options.js';
import { POPULARITY } from './popularity.js';
import { TRANSITION } from './transition.js';

/** Counted in the data set's training rows, as `sidlab baseline` does. */
export const rankBaselines: RankBaselines = ({ train }, rows, topK) =>
  Promise.resolve(
    Object.fromEntries([POPULARITY, TRANSITION].map(({ name, rank }) => [name, rank(train, rows, { topK })])),
  );

/** `scoreStage` with the baselines beside each file, where there is a data folder. @throws InputError as `scoreStage` */
export function scoreBesideBaselines(options: ScoreOptions): Promise<ScoreReport> {
  return scoreStage(options, rankBaselines);
}
