/** The scales of Muon's update, by name. */

export const MUON_SCALES = ['rms', 'spectral'] as const;

/**
 * What the orthogonal update is multiplied with:
 *   `rms`      0.2 sqrt(max(R, C)), so that it is as large as one of AdamW's and takes its rate and decay (Liu et al.,
 *              "Muon is scalable for LLM training", arXiv 2502.16982);
 *   `spectral` sqrt(max(1, R / C)), Jordan's.
 */
export type MuonScale = (typeof MUON_SCALES)[number];
