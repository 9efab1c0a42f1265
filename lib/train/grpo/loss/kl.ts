/**
 * Estimators of the Kullback-Leibler divergence of the policy from the reference, of one token each (Schulman,
 * "Approximating KL divergence", 2020). With d = log reference - log policy:
 *
 *   k1  -d               unbiased, of large variance; as a loss its expected gradient is zero (the mean score), so that
 *                        it belongs into the reward
 *   k2  d^2 / 2          of small bias; its gradient as a loss is that of the divergence
 *   k3  exp(d) - d - 1   unbiased as a value, never negative (GRPO's, arXiv 2402.03300, eq. 4)
 */
export const KL_ESTIMATORS = ['k1', 'k2', 'k3'] as const;

/** A word of `KL_ESTIMATORS`. */
export type KlEstimator = (typeof KL_ESTIMATORS)[number];

/** An estimate, and its derivative by the policy's log p. */
export interface KlEstimate {
  value: number;
  slope: number;
}

/**
 * @param logProb of the token under the policy @param reference the same under the reference
 * @example klEstimate('k3', Math.log(0.5), Math.log(0.25)) // d = -0.6931: { value: 0.1931, slope: 0.5 }
 */
export function klEstimate(estimator: KlEstimator, logProb: number, reference: number): KlEstimate {
  const d = reference - logProb;
  switch (estimator) {
    case 'k1':
      return { value: -d, slope: 1 };
    case 'k2':
      return { value: (d * d) / 2, slope: -d };
    case 'k3':
      return { value: Math.expm1(d) - d, slope: 0 - Math.expm1(d) }; // exact near 0 too, where exp(d) - 1 is not
    default:
      throw new Error(`klEstimate: expected one of ${KL_ESTIMATORS.join(', ')}, got ${estimator satisfies never}`);
  }
}
