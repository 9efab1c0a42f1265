/** Peers that train, in the ways of `peers/training.py` that are worth trying on this machine. */
import { type Precise, runPeer } from '../peer.js';

/**
 * Runs a script once in each way: float32, or where bf16 multiplies faster autocast over float32 weights (as ours keeps
 * them) and everything in bf16.
 * @returns what each printed, float32 or autocast first; or a line that says why there is none
 */
export function runWays<P extends Precise>(script: string, folder: string): [P, ...P[]] | string {
  const first = runPeer<P>(script, folder);
  if (typeof first === 'string' || first.precision === 'float32') return typeof first === 'string' ? first : [first];
  const other = runPeer<P>(script, folder, 'bf16');
  return typeof other === 'string' ? other : [first, other];
}

/** The way of fewest seconds. */
export function fastest<P>(ways: readonly [P, ...P[]], secondsOf: (way: P) => number): P {
  return ways.reduce((best, way) => (secondsOf(way) < secondsOf(best) ? way : best));
}
