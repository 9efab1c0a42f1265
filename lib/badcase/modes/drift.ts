/**
 * Drift over time: the target came into fashion late in the training rows. A model that was trained on older rows, or that
 * weighs all of them alike, knows it less than the rows would have it.
 */
import { integer, number } from '../../options/kinds.js';
import { defineDetector } from '../detector.js';

/** @example a target of 8 training rows, the first of them after a third of all rows, at the defaults */
export const DRIFT = defineDetector({
  name: 'drift',
  help: 'the true item is bought often, but not in the first part of the training rows',
  advice: 'train on newer rows, or weigh rows by their age',
  strategies: ['recency_bias'],
  needs: ['rows'],
  options: {
    driftPart: number('drift: the first part of the training rows, as a share', { default: 0.33, above: 0, below: 1 }),
    driftCount: integer('drift: an item of fewer training rows is too rare to tell', { default: 6 }),
  },
  detect({ rows, options: { driftPart, driftCount } }) {
    const firsts = new Map<number, number>();
    const counts = new Map<number, number>();
    rows.forEach(({ target }, i) => {
      if (!firsts.has(target)) firsts.set(target, i);
      counts.set(target, (counts.get(target) ?? 0) + 1);
    });
    return ({ target }) => (counts.get(target) ?? 0) >= driftCount && firsts.get(target)! >= driftPart * rows.length;
  },
});
