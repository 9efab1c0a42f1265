/** A metric and its interval in words. */
import type { Interval } from './bootstrap.js';

/** `0.1312` with its ends -> `.131 [.118, .145]` */
export function intervalText(mean: number, [low, high]: Interval): string {
  return `${short(mean)} [${short(low)}, ${short(high)}]`;
}

/** `0.0432` -> `.043` */
function short(x: number): string {
  return x.toFixed(3).replace(/^(-?)0\./, '$1.');
}
