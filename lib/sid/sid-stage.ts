/**
 * The `sid` stage: a file of item vectors -> `NAME.index.json`, and beside it a `NAME.codebook-LETTER.npy` a level,
 * `NAME.sid.json` and, of a learned method, `NAME.sid.safetensors`. Several processes that have the same vectors share the
 * work of a method that can; process 0 writes.
 */
import { basename, dirname, join } from 'node:path';
import { first, together } from '../cluster/alone.js';
import { type Cluster, joinCluster } from '../cluster/cluster.js';
import { ensureEngine } from '../engine/engine.js';
import { keepInputs } from '../files/keep-inputs.js';
import { withNpyRows } from '../files/npy-rows.js';
import { readNpy, type Vectors } from '../files/npy.js';
import { codeVersion } from '../runs/code-version.js';
import { checkTarget } from '../files/check-file.js';
import { InputError } from '../support/errors.js';
import { tell } from '../support/progress.js';
import { withMethod } from './default-method.js';
import { INDEX_ENDING } from './files/codebook-files.js';
import { writeSids } from './files/saved-sids.js';
import { METHODS, sidMethod } from './methods.js';
import { checkQuantized, type QuantizeResult } from './quantized.js';
import type { SidMethod } from './sid-method.js';
import { fingerprint } from './rqvae/fingerprint.js';
import { SID_OPTIONS, type SidStageOptions } from './sid-options.js';

/** What was made, and how well it does. */
export interface SidReport extends Pick<QuantizeResult, 'codesUsed' | 'mse' | 'collision' | 'clusterSize'> {
  /** Its name. */
  method: string;
  /** With a SID. */
  items: number;
  /** Codes in a SID. */
  levels: number;
  /** Items with a token more than levels, their rank among those of the same codes. */
  ranked: number;
  /** Codes a level. */
  codebookSize: number[];
  /** File that was written. */
  index: string;
  /** Files, one a level [K, D]. */
  codebooks: string[];
  /** File: method, the codebooks' space, what collisions moved. */
  card: string;
  /** File of a learned method's encoder and decoder. */
  model: string | null;
  /** Of the stage. */
  seconds: number;
}

/** @throws InputError for an unknown method and whatever `readNpy` and the method refuse; nothing is written then */
export async function sidStage(options: SidStageOptions): Promise<SidReport> {
  await ensureEngine();
  const cluster = await joinCluster();
  const start = performance.now();
  const { embeddings, index, method, given, write } = await together(cluster, () => settle(options));
  await first(cluster, () => checkTarget(index, '--index'));
  const { name, learned, ...ways } = method;
  if (cluster) checkCluster(cluster, method, { ...given, ...write });
  const { found, shape } = await quantized(embeddings, ways, given, cluster);
  checkQuantized(found, shape, name, learned);
  const { codes, codebooks, mse, collision, codesUsed, clusterSize } = found;
  const files = await first(cluster, () => writeSids(index, name, shape.width, found, write));
  return {
    method: name,
    items: codes.length,
    levels: codebooks.length,
    codebookSize: codebooks.map((codebook) => codebook.rows),
    codesUsed,
    mse,
    collision,
    ranked: codes.filter((path) => path.length > codebooks.length).length,
    clusterSize,
    index,
    ...files,
    seconds: (performance.now() - start) / 1000,
  };
}

/** What is asked for, checked. @throws InputError */
function settle(options: SidStageOptions) {
  const { options: asked, chosen } = withMethod(options, options.embeddings);
  const parsed = SID_OPTIONS.parse(asked);
  const { embeddings, method, index = defaultIndex(embeddings), spelling: tokens, countFrom, ...given } = parsed;
  if (chosen && chosen.method !== 'rqkmeans') tell(`sid: method ${chosen.method}: ${chosen.why}`);
  if (!index.endsWith(INDEX_ENDING))
    throw new InputError(`sid: expected --index to end in ${INDEX_ENDING}, got ${index}`);
  const { startIndex } = given as { startIndex?: string };
  keepInputs('sid', startIndex === undefined ? [] : [startIndex], [index], 'name another --index');
  return { embeddings, index, method: sidMethod(method), given, write: { tokens, countFrom } };
}

/** @throws InputError for a method that runs in one process, and where processes differ */
function checkCluster(cluster: Cluster, { name, parallel = false }: SidMethod, same: Record<string, unknown>): void {
  cluster.expectSame({ code: codeVersion().hash, method: name, ...same });
  if (parallel) return;
  const others = Object.entries<SidMethod>(METHODS).flatMap(([other, method]) => (method.parallel ? [other] : []));
  throw new InputError(
    `sid: method ${name}: runs in one process, but TF_CONFIG names ${cluster.size}; ` +
      `start one, without TF_CONFIG, or take ${others.join(', ')}`,
  );
}

/** By a file where the method can, else by all vectors in memory; and the vectors' size. */
async function quantized(
  embeddings: string,
  { quantize, quantizeFile }: Pick<SidMethod, 'quantize' | 'quantizeFile'>,
  options: object,
  cluster: Cluster | undefined,
): Promise<{ found: QuantizeResult; shape: Pick<Vectors, 'rows' | 'width'> }> {
  const mend = 'run sidlab embed first';
  if (quantizeFile) {
    const shape = withNpyRows(embeddings, mend, ({ rows, width }) => ({ rows, width }));
    return { found: await quantizeFile(embeddings, options as never), shape };
  }
  const vectors = await together(cluster, () => readNpy(embeddings, mend));
  cluster?.expectSame({ vectors: fingerprint(vectors) });
  return { found: await quantize(vectors, options as never, embeddings, cluster), shape: vectors };
}

/** `data/Toys.emb-lsa.npy` -> `data/Toys.index.json` */
function defaultIndex(embeddings: string): string {
  return join(dirname(embeddings), basename(embeddings).replace(/(\.emb-[^.]*)?\.npy$/, '') + INDEX_ENDING);
}
