/**
 * Free greedy generation: ours against transformers' `generate` in its faster precision, a small model from random
 * weights, prompts of mixed lengths, every text to the same number of tokens (no end of text). The peer gets them sorted by
 * length, in batches of the same size, padded on the left. Loading is not counted. The texts are compared in float32, by
 * one more run of each where it was not the faster: in bf16 near ties are decided by rounding.
 */
import { join } from 'node:path';
import { generate, Random, saveModel } from 'sidlab';
import { disposeWeights, parseShape, randomWeights } from 'sidlab/lm';
import type { LanguageModel } from 'sidlab';
import { askedPrecision, inPrecision, type Precision } from './our-precision.js';
import { inTurn, peerFolder, type Precise, ratesText, runPeer, type Timed } from './peer.js';
import type { Row } from './row.js';

interface Written extends Timed {
  texts: number[][];
}

type Peer = Written & Precise & { floor: number };

const [SHAPE, VOCABULARY, PROMPTS, NEW_TOKENS, BATCH] = ['qwen2:256x4', 8192, 128, 64, 64];

export async function generateBench(): Promise<Row[]> {
  const config = parseShape(SHAPE, VOCABULARY, 0);
  const model: LanguageModel = { config, weights: randomWeights(config, 1) };
  const random = new Random('generate');
  const prompts = Array.from({ length: PROMPTS }, () =>
    Array.from({ length: 16 + random.int(144) }, () => 1 + random.int(VOCABULARY - 1)),
  );
  const folder = peerFolder({ prompts, newTokens: NEW_TOKENS, batch: BATCH });
  saveModel(join(folder, 'model'), model);
  const write = async (precision: Precision): Promise<Written & { precision: Precision }> => {
    const options = { maxTokens: NEW_TOKENS, endTokens: [], batchRows: BATCH };
    const { texts, seconds } = await generate({ ...model, config: { ...model.config, precision } }, prompts, options);
    return { precision, seconds, texts: texts.map(({ tokens }) => tokens) };
  };
  const { times, ours, peer } = await inTurn(
    3,
    () => inPrecision(askedPrecision(), write),
    () => runPeer<Peer>('generate.py', folder),
  );
  const exact = ours.precision === 'float32' ? ours : await inPrecision('float32', write);
  const theirs =
    typeof peer === 'string' || peer.precision === 'float32' ? peer : runPeer<Peer>('generate.py', folder, 'float32');
  disposeWeights(model.weights);
  const missing = typeof peer === 'string';
  const same =
    typeof theirs === 'string' ? 0 : exact.texts.filter((text, i) => text.join() === theirs.texts[i]!.join()).length;
  const rate = (seconds: number): string => `${Math.round((PROMPTS * NEW_TOKENS) / seconds)}`;
  return [
    {
      name: 'generate',
      ...times,
      floor: missing ? null : peer.floor,
      unit: 's',
      goal: 'at most 1 x, the same texts',
      reached: times.ratio !== null && times.ratio <= 1 && same === PROMPTS,
      precision: ours.precision,
      note: missing
        ? peer
        : `${rate(times.ours)} : ${rate(times.peer!)} tokens/s; in float32 ${same} of ${PROMPTS} texts the same, token for token; ${ratesText(peer)}`,
    },
  ];
}
