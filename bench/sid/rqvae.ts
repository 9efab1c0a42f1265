/**
 * RQ-VAE on the Industrial vectors against a PyTorch twin (`peers/rqvae.py`, eager, in its faster precision) with the same
 * options: seconds of an epoch at 2048-1024-512-256-128-64-32 in batches of 2,048, and what both end on with the default options.
 */
import * as tf from '@tensorflow/tfjs';
import { rqvae, type MetricLine, type Vectors } from 'sidlab';
import { industrialVectors } from '../industrial-vectors.js';
import { inTurn, median, peerFolder, type Precise, ratesText, runPeer, timed } from '../peer.js';
import type { Row } from '../row.js';

interface Result {
  seconds: number;
  losses: number[];
  mse: number;
  codesUsed: number[];
}

const WIDTHS = [384, 2048, 1024, 512, 256, 128, 64, 32];

async function ours(vectors: Vectors, options: object): Promise<Result> {
  let lines: readonly MetricLine[] = [];
  const found = await rqvae(vectors, { ...options, collisions: 'keep', onLog: (all) => (lines = all) });
  const took = lines.slice(1).map(({ seconds }, i) => seconds! - lines[i]!.seconds!);
  return {
    seconds: median(took),
    losses: lines.map(({ loss }) => loss!),
    mse: found.rawMse,
    codesUsed: found.codesUsed,
  };
}

export async function rqvaeBench(): Promise<Row[]> {
  const vectors = industrialVectors();
  const timing = { epochs: 4, batchSize: 2048, autoencoderEpochs: 0, kmeansIterations: 2, evalEpochs: 100 };
  const speed = await inTurn(
    3,
    () => ours(vectors, timing),
    () => runPeer<Result & Precise>('rqvae.py', peerFolder(timing, { vectors })),
  );
  const mine = await ours(vectors, {});
  // the error that float32 ends on, whatever is faster
  const twin = runPeer<Result>('rqvae.py', peerFolder({ precision: 'float32' }, { vectors }));
  const curve = ({ losses }: Result): string => losses.map((loss) => loss.toPrecision(3)).join(' ');
  const peer = typeof twin === 'string' ? null : twin;
  const ratio = peer && mine.mse / peer.mse;
  return [
    {
      name: 'rqvae epoch',
      ...speed.times,
      floor: floorSeconds(vectors.rows),
      unit: 's',
      goal: 'at most 1.05 x',
      reached: speed.times.ratio !== null && speed.times.ratio <= 1.05,
      precision: 'float32',
      note: `losses ${curve(speed.ours)}; twin's ${typeof speed.peer === 'string' ? speed.peer : `${curve(speed.peer)}; ${ratesText(speed.peer)}`}`,
    },
    {
      name: 'rqvae reconstruction error',
      ours: mine.mse,
      peer: peer?.mse ?? null,
      floor: null,
      unit: 'mse',
      ratio,
      goal: 'at most 1.02 x, codes used at every level at least its',
      reached:
        ratio !== null && ratio <= 1.02 && mine.codesUsed.every((used, level) => used >= peer!.codesUsed[level]!),
      spread: 0,
      precision: 'float32',
      peerPrecision: peer && 'float32',
      note: `codes used ${mine.codesUsed.join(', ')}; twin's ${peer?.codesUsed.join(', ') ?? String(twin)}`,
    },
  ];
}

/** Seconds of the matrix products of an epoch in one batch: forward, and backward to weights and inputs. */
function floorSeconds(rows: number): number {
  const widths = [...WIDTHS, ...WIDTHS.slice(0, -1).reverse()];
  let seconds = 0;
  for (let i = 0; i + 1 < widths.length; i++) {
    const [x, w, y] = [
      [rows, widths[i]!],
      [widths[i + 1]!, widths[i]!],
      [rows, widths[i + 1]!],
    ].map((shape) => tf.randomNormal(shape as [number, number])) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    const products = [() => tf.matMul(x, w, false, true), () => tf.matMul(y, x, true), () => tf.matMul(y, w)];
    for (const product of i === 0 ? products.slice(0, 2) : products) {
      seconds += median([0, 1, 2].map(() => timed(() => product().dispose()).seconds));
    }
    tf.dispose([x, w, y]);
  }
  return seconds;
}
