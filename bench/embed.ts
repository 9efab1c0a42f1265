/**
 * Item texts through all-MiniLM-L6-v2: ours (Transformers.js, onnxruntime) against sentence-transformers with its
 * default batch of 32, on every 38th Industrial item; tokenization counted, loading not.
 * The peer runs in its faster precision; the vectors are compared with those of its float32. The model is made by
 * `.venv-peers/bin/python bench/peers/export_minilm.py`. The note carries minima and processor seconds too: on a machine
 * with neighbours the medians say more about them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { homeFolder, readItems, type Vectors } from 'sidlab';
import { encodeTexts, loadSentenceEncoder } from 'sidlab/embed';
import { inTurn, peerFolder, type Precise, ratesText, runPeer } from './peer.js';
import type { Row } from './row.js';

interface Peer extends Precise {
  seconds: number;
  /** Of all threads. */
  processor: number;
  floor: number;
  /** File of float32. */
  vectors: string;
}

const EVERY = 38;

export async function embedBench(): Promise<Row[]> {
  const model = join(homeFolder(), 'data/models/all-MiniLM-L6-v2');
  const items = join(homeFolder(), '../shared/data/industrial/Industrial_and_Scientific.item.json');
  if (!existsSync(model))
    throw new Error(`${model}: no such folder; run .venv-peers/bin/python bench/peers/export_minilm.py`);
  if (!existsSync(items)) throw new Error(`${items}: no such file; the benchmark needs the real items`);
  const texts = readItems(items)
    .filter((_, id) => id % EVERY === 0)
    .map(({ title, description }) => `${title} ${description}`);
  const encoder = await loadSentenceEncoder(model);
  const [best, processor] = [
    { ours: Infinity, peer: Infinity },
    { ours: Infinity, peer: Infinity },
  ];
  const note = (who: 'ours' | 'peer', seconds: number, busy: number) => {
    best[who] = Math.min(best[who], seconds);
    processor[who] = Math.min(processor[who], busy);
  };
  let padding = 0;
  const encode = async (): Promise<{ seconds: number; vectors: Vectors }> => {
    const [start, busy] = [performance.now(), process.cpuUsage()];
    const encoded = await encodeTexts(encoder, texts);
    padding = encoded.padding;
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(busy);
    note('ours', seconds, (user + system) / 1e6);
    return { seconds, vectors: encoded.vectors };
  };
  const folder = peerFolder({ texts, batch: 32 });
  const { times, ours, peer } = await inTurn(5, encode, () => {
    const ran = runPeer<Peer>('embed.py', folder);
    if (typeof ran !== 'string') note('peer', ran.seconds, ran.processor);
    return ran;
  });
  await encoder.close();
  const missing = typeof peer === 'string';
  const exact = missing || peer.precision === 'float32' ? peer : runPeer<Peer>('embed.py', folder, 'float32');
  const off = typeof exact === 'string' ? NaN : largestDifference(ours.vectors, exact);
  return [
    {
      name: 'embed',
      ...times,
      floor: missing ? null : peer.floor,
      unit: 's',
      goal: 'at most 1 x, vectors within 1e-4',
      reached: times.ratio !== null && times.ratio <= 1 && off <= 1e-4,
      precision: 'float32',
      note: missing
        ? peer
        : `${texts.length} items; minima ${pair(best)} s, ${pair(processor)} processor s; padding ${(100 * padding).toFixed(1)} %; largest difference ${off.toExponential(1)}; ${ratesText(peer)}`,
    },
  ];
}

const pair = ({ ours, peer }: { ours: number; peer: number }) => `${ours.toFixed(1)} : ${peer.toFixed(1)}`;

function largestDifference({ data }: Vectors, peer: Peer): number {
  const bytes = Uint8Array.from(readFileSync(peer.vectors));
  const theirs = new Float32Array(bytes.buffer);
  if (theirs.length !== data.length) throw new Error(`embed: expected ${data.length} numbers, got ${theirs.length}`);
  return data.reduce((most, x, i) => Math.max(most, Math.abs(x - theirs[i]!)), 0);
}
