/** A metric and its interval in words. */
/** `0.1312` with its ends -> `.131 [.118, .145]` */
export function intervalText(mean: number, [low, high]: readonly [low: number, high: number]): string {
  return `${short(mean)} [${short(low)}, ${short(high)}]`;
}

/** `0.0432` -> `.043` */
function short(x: number): string {
  return x.toFixed(3).replace(/^(-?)0\./, '$1.');
}
