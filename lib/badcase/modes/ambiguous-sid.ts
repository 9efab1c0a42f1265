/** Ambiguous SID: several items have the target's SID, so that a model cannot say which of them it means. */
import { defineDetector } from '../detector.js';

/** @example a target with `<a_1><b_2>`, which another item has too */
export const AMBIGUOUS_SID = defineDetector({
  name: 'ambiguous SID',
  help: 'another item has the SID of the true one',
  advice: 'make SIDs unique: another level, a larger codebook, or --collisions reassign',
  strategies: ['sid_quality'],
  needs: ['index'],
  detect({ index }) {
    const owners = new Map<string, number>();
    const sids = index.map((tokens) => tokens.join(''));
    for (const sid of sids) owners.set(sid, (owners.get(sid) ?? 0) + 1);
    return ({ target }) => owners.get(sids[target]!)! > 1;
  },
});
