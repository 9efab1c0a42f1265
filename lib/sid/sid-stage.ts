/**
 * The `sid` stage: a file of item vectors -> `NAME.index.json`, and beside it a `NAME.codebook-LETTER.npy` a level,
 * `NAME.sid.json` and, of a learned method, `NAME.sid.safetensors`.
 */
import { basename, dirname, join } from 'node:path';
import { ensureEngine } from '../engine/engine.js';
import { withNpyRows } from '../files/npy-rows.js';
import { readNpy, type Vectors } from '../files/npy.js';
import { InputError } from '../support/errors.js';
import { tell } from '../support/progress.js';
import { withMethod } from './default-method.js';
import { INDEX_ENDING } from './files/codebook-files.js';
import { writeSids } from './files/saved-sids.js';
import { sidMethod } from './methods.js';
import { checkQuantized, type QuantizeResult } from './quantized.js';
import type { SidMethod } from './sid-method.js';
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
  const start = performance.now();
  const { options: asked, chosen } = withMethod(options, options.embeddings);
  const parsed = SID_OPTIONS.parse(asked);
  const { embeddings, method, index = defaultIndex(embeddings), spelling: tokens, countFrom, ...given } = parsed;
  if (chosen && chosen.method !== 'rqkmeans') tell(`sid: method ${chosen.method}: ${chosen.why}`);
  if (!index.endsWith(INDEX_ENDING))
    throw new InputError(`sid: expected --index to end in ${INDEX_ENDING}, got ${index}`);
  const { name, learned, ...ways } = sidMethod(method);
  const { found, shape } = await quantized(embeddings, ways, given);
  checkQuantized(found, shape, name, learned);
  const { codes, codebooks, mse, collision, codesUsed, clusterSize } = found;
  const files = writeSids(index, name, shape.width, found, { tokens, countFrom });
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

/** By a file where the method can, else by all vectors in memory; and the vectors' size. */
async function quantized(
  embeddings: string,
  { quantize, quantizeFile }: Pick<SidMethod, 'quantize' | 'quantizeFile'>,
  options: object,
): Promise<{ found: QuantizeResult; shape: Pick<Vectors, 'rows' | 'width'> }> {
  const mend = 'run sidlab embed first';
  if (quantizeFile) {
    const shape = withNpyRows(embeddings, mend, ({ rows, width }) => ({ rows, width }));
    return { found: await quantizeFile(embeddings, options as never), shape };
  }
  const vectors = readNpy(embeddings, mend);
  return { found: await quantize(vectors, options as never, embeddings), shape: vectors };
}

/** `data/Toys.emb-lsa.npy` -> `data/Toys.index.json` */
function defaultIndex(embeddings: string): string {
  return join(dirname(embeddings), basename(embeddings).replace(/(\.emb-[^.]*)?\.npy$/, '') + INDEX_ENDING);
}
