/**
 * Which validation metric decides which model is the best: which there are, and which it is where nobody says. A ranking figure, since a model may rank
 * better while its loss rises; but where a SID is one token, the loss is that of the item itself, over every validation
 * row, and steadier by far than the ranks of some hundred rows (docs/log.md, "MovieLens 100K").
 */
import type { SidIndex } from '../../data/sid-index.js';
import { InputError } from '../../support/errors.js';
import type { TaskPlan } from '../../tasks/plan-tasks.js';
import { VALID_METRICS } from '../loop/validate.js';
import type { Validation } from './sft-task.js';

/** @returns `loss` or `NDCG@10` */
export function defaultBestMetric({ parts, ranked }: Pick<TaskPlan, 'parts' | 'ranked'>, index: SidIndex): string {
  const ofItems =
    parts.length === 1 && parts[0]!.template.answer === '{sid}' && index.every(({ length }) => length === 1);
  return ranked === undefined || ofItems ? 'loss' : 'NDCG@10';
}

/** @throws InputError for a metric that no validation will have: before a training that would end at its first */
export function checkBestMetric(bestMetric: string, { heldOut, ranking }: Validation): void {
  const ofTasks = heldOut.length > 1 ? heldOut.filter(({ rows }) => rows.length > 0) : [];
  const names = ['loss', ...ofTasks.map(({ name }) => `loss ${name}`), ...(ranking ? VALID_METRICS : [])];
  if (names.includes(bestMetric)) return;
  throw new InputError(`sft: expected --best-metric to be one of ${names.join(', ')}, got ${bestMetric}`);
}
