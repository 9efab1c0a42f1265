/** Which of two epochs' models is the better one. */
import type { Best } from '../choices.js';
import type { EpochMetrics } from './epoch-metrics.js';

/**
 * Whether the model of `now` takes the place of the best one so far. Of equal collision rates or equal use of the codes
 * the smaller error decides; of equal errors the earlier model stays.
 * @param name the metric
 * @param old metrics of the best so far, if there is one
 */
export function beats(name: Best, now: EpochMetrics, old: EpochMetrics | undefined): boolean {
  if (!old) return true;
  switch (name) {
    case 'last':
      return true;
    case 'loss':
      return now.mse < old.mse;
    case 'collision':
      return now.collision < old.collision || (now.collision === old.collision && now.mse < old.mse);
    case 'utilisation':
      return now.utilisation > old.utilisation || (now.utilisation === old.utilisation && now.mse < old.mse);
    default:
      throw new Error(`rqvae: unknown metric ${name satisfies never}`);
  }
}
