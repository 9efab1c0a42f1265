/**
 * Item texts through all-MiniLM-L6-v2: ours (Transformers.js, onnxruntime) against sentence-transformers at its best
 * batch size, on every 19th Industrial item; tokenization counted, loading not. The model is made by
 * `python bench/peers/export_minilm.py`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeTexts, homeFolder, loadSentenceEncoder, readItems, type Vectors } from 'sidlab';
import { inTurn, peerFolder, runPeer } from './peer.js';
import type { Row } from './run.js';

interface Peer {
  seconds: number;
  batch: number;
  floor: number;
  /** File of float32. */
  vectors: string;
}

const EVERY = 19;

export async function embedBench(): Promise<Row[]> {
  const model = join(homeFolder(), 'data/models/all-MiniLM-L6-v2');
  const items = join(homeFolder(), '../shared/data/industrial/Industrial_and_Scientific.item.json');
  if (!existsSync(model)) throw new Error(`${model}: no such folder; run python bench/peers/export_minilm.py`);
  if (!existsSync(items)) throw new Error(`${items}: no such file; the benchmark needs the real items`);
  const texts = readItems(items)
    .filter((_, id) => id % EVERY === 0)
    .map(({ title, description }) => `${title} ${description}`);
  const encoder = await loadSentenceEncoder(model);
  let padding = 0;
  const encode = async (): Promise<{ seconds: number; vectors: Vectors }> => {
    const start = performance.now();
    const encoded = await encodeTexts(encoder, texts);
    padding = encoded.padding;
    return { seconds: (performance.now() - start) / 1000, vectors: encoded.vectors };
  };
  const folder = peerFolder({ texts, batches: [8, 32] });
  const { times, ours, peer } = await inTurn(3, encode, () => runPeer<Peer>('embed.py', folder));
  await encoder.close();
  const missing = typeof peer === 'string';
  const off = missing ? NaN : largestDifference(ours.vectors, peer);
  const rate = (seconds: number | null) => (texts.length / (seconds ?? NaN)).toFixed(1);
  return [
    {
      name: 'embed',
      ...times,
      floor: missing ? null : peer.floor,
      unit: 's',
      goal: 'at most 1 x, vectors within 1e-4',
      reached: times.ratio !== null && times.ratio <= 1 && off <= 1e-4,
      note: missing
        ? peer
        : `${texts.length} items, ${rate(times.ours)} a second against ${rate(times.peer)} (batch ${peer.batch}), padding ${(100 * padding).toFixed(1)} %, largest difference ${off.toExponential(1)}`,
    },
  ];
}

function largestDifference({ data }: Vectors, peer: Peer): number {
  const bytes = Uint8Array.from(readFileSync(peer.vectors));
  const theirs = new Float32Array(bytes.buffer);
  if (theirs.length !== data.length) throw new Error(`embed: expected ${data.length} numbers, got ${theirs.length}`);
  return data.reduce((most, x, i) => Math.max(most, Math.abs(x - theirs[i]!)), 0);
}
