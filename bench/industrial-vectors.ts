/** The Industrial item vectors of `../shared/data`, 3,686 x 384, and the matrix products that clustering them takes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { homeFolder, readNpy, type Vectors } from 'sidlab';
import { median, timed } from './peer.js';

export function industrialVectors(): Vectors {
  const file = join(homeFolder(), '../shared/data/industrial/Industrial_and_Scientific.emb-lsa.npy');
  if (!existsSync(file)) throw new Error(`${file}: no such file; the benchmark needs the real vectors`);
  return readNpy(file);
}

/** Seconds of one product of all rows with `codes` centres on the engine: the floor of a round without bounds. */
export function productSeconds({ rows, width, data }: Vectors, codes: number): number {
  const x = tf.tensor2d(data, [rows, width]);
  const c = tf.tensor2d(data.slice(0, codes * width), [codes, width]);
  const seconds = Array.from({ length: 5 }, () => timed(() => x.matMul(c, false, true).dispose()).seconds);
  tf.dispose([x, c]);
  return median(seconds);
}
