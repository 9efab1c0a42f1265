/**
 * What Muon's orthogonalised update is multiplied with. In a file of its own, so that a list of options can be read
 * without a tensor engine.
 */

/** Names of the scales, the default first. */
export const MUON_SCALES = ['rms', 'spectral'] as const;

/**
 * What the orthogonalised update is multiplied with, for R rows and C columns:
 *   `rms`      0.2 sqrt(max(R, C)), so that it is as large as one of AdamW's and takes its learning rate and decay (Liu et
 *              al., "Muon is scalable for LLM training", arXiv 2502.16982);
 *   `spectral` sqrt(max(1, R / C)), Jordan's.
 */
export type MuonScale = (typeof MUON_SCALES)[number];
