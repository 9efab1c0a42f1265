/** Ambiguous SID: several items have the target's SID, so that a model cannot say which of them it means. */
import { sidOwners } from '../../data/sid-index.js';
import { defineDetector } from '../detector.js';

/** @example a target with `<a_1><b_2>`, which another item has too */
export const AMBIGUOUS_SID = defineDetector({
  name: 'ambiguous SID',
  help: 'another item has the SID of the true one',
  advice: 'make SIDs unique: another level, a larger codebook, or --collisions reassign',
  strategies: ['sid_quality'],
  needs: ['index'],
  detect({ index }) {
    const owners = sidOwners(index);
    return ({ target }) => owners[target]! > 1;
  },
});
