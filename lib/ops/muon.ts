/**
 * Muon (Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024): momentum whose singular values
 * are all driven to one. For the matrices of the layers; embeddings, norms, biases and the output layer are AdamW's.
 *
 * Follows `torch.optim.Muon`. Departure: Newton-Schulz runs in float32 (there: bfloat16), since a bfloat16 product
 * may be a hundred times slower on a processor without the instructions.
 *
 * Shapes: R rows, C columns.
 */
import * as tf from '@tensorflow/tfjs';
import { MUON_SCALES, type MuonScale } from './muon-scale.js';

export { MUON_SCALES, type MuonScale };

/** How Muon updates a matrix. */
export interface MuonOptions {
  /** Share of the old momentum in the new one. Default 0.95. */
  momentum?: number;
  /** What the orthogonalised update is multiplied with. Default `rms`. */
  muonScale?: MuonScale;
  /** Share of the parameter, times the learning rate, that a step takes off. Default 0. */
  weightDecay?: number;
}

/**
 * One update. Assigns the new momentum.
 * @param parameter [R, C] @param gradient [R, C] @param momentum [R, C], zeros at the start
 * @param rate the learning rate
 * @returns the new parameter [R, C]
 */
export function muon(
  parameter: tf.Tensor2D,
  gradient: tf.Tensor2D,
  momentum: tf.Variable,
  rate: number,
  options: MuonOptions = {},
): tf.Tensor2D {
  const { momentum: beta = 0.95, muonScale = 'rms', weightDecay = 0 } = options;
  return tf.tidy(() => {
    momentum.assign(tf.add(tf.mul(momentum, beta), tf.mul(gradient, 1 - beta)));
    const ahead = tf.add(tf.mul(momentum, beta), tf.mul(gradient, 1 - beta)) as tf.Tensor2D; // Nesterov's
    const move = tf.mul(orthogonalize(ahead), rate * scaleOf(muonScale, parameter.shape));
    return tf.sub(weightDecay === 0 ? parameter : tf.mul(parameter, 1 - rate * weightDecay), move);
  });
}

function scaleOf(scale: MuonScale, [rows, columns]: [number, number]): number {
  switch (scale) {
    case 'rms':
      return 0.2 * Math.sqrt(Math.max(rows, columns));
    case 'spectral':
      return Math.sqrt(Math.max(1, rows / columns));
    default:
      throw new Error(`muon: expected a scale of ${MUON_SCALES.join(', ')}, got ${scale satisfies never}`);
  }
}

const [A, B, C] = [3.4445, -4.775, 2.0315];
const ROUNDS = 5;

/**
 * About U V^T of the singular value decomposition U S V^T: five rounds of a quintic Newton-Schulz iteration, whose
 * coefficients trade exactness (singular values end between 0.7 and 1.2) for speed.
 * @param matrix [R, C]; a zero matrix stays zero @returns [R, C]
 */
export function orthogonalize(matrix: tf.Tensor2D): tf.Tensor2D {
  const [rows, columns] = matrix.shape;
  return tf.tidy(() => {
    const wide = rows > columns ? tf.transpose(matrix) : matrix; // the products of rows are the smaller ones
    let x = tf.div<tf.Tensor2D>(wide, tf.maximum(tf.norm(wide), 1e-7));
    for (let round = 0; round < ROUNDS; round++) {
      const gram = tf.matMul(x, x, false, true);
      const turn = tf.add(tf.mul(gram, B), tf.mul(tf.matMul(gram, gram), C)) as tf.Tensor2D;
      x = tf.add(tf.mul(x, A), tf.matMul(turn, x));
    }
    return rows > columns ? tf.transpose(x) : x;
  });
}
