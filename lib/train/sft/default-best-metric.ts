/**
 * Which validation metric decides which model is the best, where nobody says. A ranking figure, since a model may rank
 * better while its loss rises; but where a SID is one token, the loss is that of the item itself, over every validation
 * row, and steadier by far than the ranks of some hundred rows (docs/log.md, "MovieLens 100K").
 */
import type { SidIndex } from '../../data/sid-index.js';
import type { TaskPlan } from '../../tasks/plan-tasks.js';

/** @returns `loss` or `NDCG@10` */
export function defaultBestMetric({ parts, ranked }: Pick<TaskPlan, 'parts' | 'ranked'>, index: SidIndex): string {
  const ofItems =
    parts.length === 1 && parts[0]!.template.answer === '{sid}' && index.every(({ length }) => length === 1);
  return ranked === undefined || ofItems ? 'loss' : 'NDCG@10';
}
