/**
 * One stage of `npm run bench -- scale`, in a process of its own. Prints one JSON object, `ScaleResult`.
 * Usage: node scale-stage.js STAGE ITEMS FOLDER
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  balancedKmeans,
  beamSearch,
  buildTrie,
  convert,
  filterStage,
  kmeans,
  loadDataset,
  meanSquaredError,
  quantizeResult,
  readIndex,
  rqKmeansPlus,
  rqvae,
  sidQualityStage,
  sidStage,
  useEngine,
  wordTokenizer,
  writeNpy,
  type SidMethod,
  type Vectors,
} from 'sidlab';
import { parseShape, randomWeights } from 'sidlab/lm';
import { balancedCodes, decodeSums, encodeVectors, rqVaeCodes, type RqVaeModel } from 'sidlab/sid';
import { sampleVectors, writeRaw } from '../scale-data.js';

/** What a stage took. */
export interface ScaleResult {
  /** Of the work that was done. */
  seconds: number;
  /** Of the whole stage where a part of it was done only. */
  projected: number;
  /** Of the process, in GB (10^9 bytes). */
  peakGB: number;
  note: string;
}

type Work = Omit<ScaleResult, 'peakGB'>;

const [stage, count, folder] = process.argv.slice(2) as [string, string, string];
const items = Number(count);
const WIDTH = 768;
const DATASET = 'Scale';
const embeddings = join(folder, `${DATASET}.emb-sample.npy`);
const index = join(folder, `${DATASET}.index.json`);

const STAGES: Record<string, () => Promise<Work>> = {
  /** Not a stage of the kit: what the others read. */
  async raw() {
    const { value, seconds } = await timed(() => writeRaw(folder, items));
    return { seconds, projected: seconds, note: Object.values(value).join(', ') };
  },
  async filter() {
    const raw = { reviews: join(folder, 'reviews.jsonl'), meta: join(folder, 'meta.jsonl') };
    const options = { ...raw, out: folder, dataset: DATASET, userK: 5, itemK: 1 };
    const { value, seconds } = await timed(() => filterStage(options));
    return { seconds, projected: seconds, note: JSON.stringify(value.split) };
  },
  async vectors() {
    const { items: kept } = await loadDataset(folder, DATASET);
    const { seconds } = await timed(() => writeNpy(embeddings, sampleVectors(kept.length, WIDTH)));
    return { seconds, projected: seconds, note: `${kept.length} x ${WIDTH}` };
  },
  'sid rqvae': () => sidOf(index, (vectors, note) => rqVaeResult(vectors, note)),
  'sid rqkmeans-plus': () => sidOf(join(folder, 'plus.index.json'), (vectors, note) => plusResult(vectors, note)),
  async 'sid quality'() {
    const options = { index, embeddings, data: folder, dataset: DATASET };
    const { value, seconds } = await timed(() => sidQualityStage(options));
    const { prefixes, collision } = value;
    return { seconds, projected: seconds, note: `collisions ${collision.raw!.toFixed(4)}, then ${collision.final}; neighbours ${prefixes[0]!.neighbours!.toFixed(2)}` }; // prettier-ignore
  },
  async convert() {
    const { value, seconds } = await timed(() => convert({ data: folder, dataset: DATASET, index }));
    return { seconds, projected: seconds, note: JSON.stringify(value.split) };
  },
  async 'trie and search'() {
    await useEngine();
    const start = performance.now();
    const sids = readIndex(index);
    const tokenizer = wordTokenizer([], sids);
    const sequences = sids.map((tokens) => tokenizer.encode(tokens.join('')));
    const trie = buildTrie(sequences);
    const built = seconds(start);
    const config = parseShape('qwen2:64x2', tokenizer.vocabSize, 0);
    const model = { config, weights: randomWeights(config, 1) };
    const prompts = Array.from({ length: 64 }, (_, i) => sequences.slice(10 * i, 10 * i + 10).flat());
    const searching = performance.now();
    const rankings = beamSearch(model, trie, prompts, { numBeams: 50 });
    const searched = seconds(searching);
    const found = new Set(rankings.flatMap((ranking) => ranking.items)).size;
    return { seconds: built + searched, projected: built + searched, note: `trie of ${trie.firstItem.length} nodes ${built.toFixed(1)} s, 64 users ${searched.toFixed(1)} s, ${found} items` }; // prettier-ignore
  },
};

/** Seconds that a whole run would take beyond what was measured, and what to say about it. */
interface Projection {
  more: number;
  notes: string[];
}

/** The `sid` stage with a method that trains on a part of the rows where all of them would take too long. */
async function sidOf(
  file: string,
  quantize: (vectors: Vectors, projection: Projection) => Promise<ReturnType<typeof quantizeResult>>,
): Promise<Work> {
  const projection: Projection = { more: 0, notes: [] };
  const method: SidMethod = { name: 'scale', learned: true, quantize: (vectors) => quantize(vectors, projection) };
  const { value, seconds } = await timed(() => sidStage({ embeddings, index: file, method }));
  const { collision } = value;
  projection.notes.push(`collisions ${collision.raw.toFixed(4)}, then ${collision.final}`);
  return { seconds, projected: seconds + projection.more, note: projection.notes.join('; ') };
}

/** Rows that a model is trained on. */
const PART = 20_000;
const TWO_EPOCHS = { epochs: 2, evalEpochs: 2, codebookSize: 256 };

async function rqVaeResult(vectors: Vectors, projection: Projection) {
  const part = firstRows(vectors, PART);
  const { model, codebooks, trainSeconds } = await rqvae(part, { ...TWO_EPOCHS, autoencoderEpochs: 1 });
  if (part.rows === vectors.rows) projection.notes.push(`trained on all rows in ${trainSeconds.toFixed(0)} s`);
  else projectTraining(projection, trainSeconds, part, vectors);
  const { latents, codes } = rqVaeCodes(model, vectors);
  const { seconds } = await timed(() => kmeans(latents, { codes: 256, iterations: 2, init: 'random-rows' }));
  projection.notes.push(`two k-means iterations on all latents ${seconds.toFixed(1)} s`);
  return decoded(vectors, latents, codes, codebooks, model);
}

async function plusResult(vectors: Vectors, projection: Projection) {
  const part = firstRows(vectors, PART);
  const small = await timed(() => rqKmeansPlus(part, { ...TWO_EPOCHS, kmeansIterations: 3 }));
  const { model, codebooks, trainSeconds } = small.value;
  projectTraining(projection, trainSeconds, part, vectors);
  const init = codebooks[0]!;
  const { seconds } = await timed(() => balancedKmeans(vectors, { codes: init.rows, init, iterations: 1 }));
  projection.notes.push(`an iteration of balanced k-means on all vectors ${seconds.toFixed(1)} s`);
  projection.more += seconds * 3 * 3 * 3; // three levels, three starts, three iterations
  const latents = encodeVectors(model, vectors);
  const codes = await timed(() => balancedCodes(latents, codebooks));
  projection.notes.push(`balanced codes of all ${codes.seconds.toFixed(1)} s`);
  return decoded(vectors, latents, codes.value, codebooks, model);
}

function projectTraining(projection: Projection, trained: number, part: Vectors, all: Vectors): void {
  projection.more += trained * (all.rows / part.rows - 1);
  projection.notes.push(`trained on ${part.rows} rows in ${trained.toFixed(0)} s`);
}

/** As the methods themselves end: collisions resolved among the latents, the error among the vectors. */
function decoded(vectors: Vectors, latents: Vectors, raw: number[][], codebooks: Vectors[], model: RqVaeModel) {
  const result = quantizeResult(latents, raw, codebooks, 'reassign');
  const mse = meanSquaredError(vectors, result.codes, codebooks, (sums) => decodeSums(model, sums));
  return { ...result, mse, model };
}

function firstRows({ rows, width, data }: Vectors, count: number): Vectors {
  const kept = Math.min(rows, count);
  return { rows: kept, width, data: data.subarray(0, kept * width) };
}

async function timed<T>(work: () => T | Promise<T>): Promise<{ value: T; seconds: number }> {
  const start = performance.now();
  const value = await work();
  return { value, seconds: seconds(start) };
}

function seconds(since: number): number {
  return (performance.now() - since) / 1000;
}

/** The peak of this process's memory; Linux counts it in kilobytes of 1,024. */
function peakGB(): number {
  const line = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return ((line ? Number(line[1]) : process.resourceUsage().maxRSS) * 1024) / 1e9;
}

const work = await STAGES[stage]!();
console.log(JSON.stringify({ ...work, peakGB: peakGB() } satisfies ScaleResult));
