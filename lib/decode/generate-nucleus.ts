/**
 * Nucleus sampling: a token is drawn from the fewest best ones whose probabilities reach `topP`.
 *
 * Follows Holtzman et al., "The curious case of neural text degeneration" (ICLR 2020). Departure: equal probabilities
 * are in the order of their tokens, the smaller first, so that the nucleus is always the same.
 */

/** Some tokens of a row, best first, and their probabilities, which sum to 1. */
export interface Nucleus {
  /** Places in the row. */
  tokens: number[];
  shares: number[];
}

/**
 * The fewest best tokens whose probabilities sum to at least `topP`, at least one; scaled to sum to 1.
 * @param probabilities of all tokens [V], summing to 1 @param topP in (0, 1]
 *
 * @example nucleus([0.5, 0.1, 0.3, 0.1], 0.8) // { tokens: [0, 2], shares: [0.625, 0.375] }
 */
export function nucleus(probabilities: ArrayLike<number>, topP: number): Nucleus {
  // All tokens up to this floor together weigh less than 1 - topP, so that none of them is in the nucleus: they need
  // not be sorted. The half leaves room for rounding.
  const floor = (0.5 * (1 - topP)) / probabilities.length;
  const tokens: number[] = [];
  for (let token = 0; token < probabilities.length; token++) if (probabilities[token]! > floor) tokens.push(token);
  tokens.sort((a, b) => probabilities[b]! - probabilities[a]!); // stable: equal ones by token
  let mass = 0;
  let size = 0;
  while (size < tokens.length && mass < topP) mass += probabilities[tokens[size++]!]!;
  const kept = tokens.slice(0, size);
  return { tokens: kept, shares: kept.map((token) => probabilities[token]! / mass) };
}

/**
 * A place drawn in proportion to the weights.
 * @param weights [V] not negative, not all zero @param total their sum @param draw uniform in [0, 1)
 *
 * @example drawPlace([0.5, 0.25, 0.25], 1, 0.6) // 1, since 0.5 <= 0.6 < 0.75
 */
export function drawPlace(weights: ArrayLike<number>, total: number, draw: number): number {
  let left = draw * total;
  let last = 0;
  for (let place = 0; place < weights.length; place++) {
    const weight = weights[place]!;
    if (weight === 0) continue;
    if (left < weight) return place;
    left -= weight;
    last = place;
  }
  return last; // rounding may leave a rest behind the last
}
