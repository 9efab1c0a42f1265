/**
 * Logit adjustment: items by log p(item | history) - tau * log prior(item), so that an item is not recommended for being
 * popular alone. (Menon et al., "Long-tail learning via logit adjustment", ICLR 2021, arXiv 2007.07314, eq. 9, after
 * training. With tau = 1 and a model that knows the training rows' distribution, it ranks by the balanced error's
 * optimum.) A tau below 0 favours what is popular.
 *
 * The prior is of whole items: prior(i) = (n_i + 1) / (sum of n + items), n_i the times that i was bought in the training
 * rows. One is added so that an item that was never bought has a prior at all.
 */

/**
 * What is added to each item's score.
 * @param counts times bought, by item [items]
 * @example logitAdjustment([3, 0], 1) // prior 4/5 and 1/5: [0.2231, 1.6094]
 */
export function logitAdjustment(counts: ArrayLike<number>, tau: number): Float64Array {
  let total = counts.length;
  for (let item = 0; item < counts.length; item++) total += counts[item]!;
  return Float64Array.from(counts, (count) => -tau * Math.log((count + 1) / total));
}
