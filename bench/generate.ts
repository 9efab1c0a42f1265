/**
 * Free greedy generation: ours against transformers' `generate`, a small model from random weights, prompts of mixed
 * lengths, every text to the same number of tokens (no end of text). The peer gets them sorted by length, in batches of
 * the same size, padded on the left. Loading is not counted.
 */
import { join } from 'node:path';
import { generate, Random, saveModel } from 'sidlab';
import { disposeWeights, parseShape, randomWeights } from 'sidlab/lm';
import type { LanguageModel } from 'sidlab';
import { inTurn, peerFolder, runPeer, type Timed } from './peer.js';
import type { Row } from './run.js';

interface Written extends Timed {
  texts: number[][];
}

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
  const { times, ours, peer } = await inTurn(
    3,
    async (): Promise<Written> => {
      const options = { maxTokens: NEW_TOKENS, endTokens: [], batchRows: BATCH };
      const { texts, seconds } = await generate(model, prompts, options);
      return { seconds, texts: texts.map(({ tokens }) => tokens) };
    },
    () => runPeer<Written & { floor: number }>('generate.py', folder),
  );
  disposeWeights(model.weights);
  const missing = typeof peer === 'string';
  const same = missing ? 0 : ours.texts.filter((text, i) => text.join() === peer.texts[i]!.join()).length;
  const rate = (seconds: number): string => `${Math.round((PROMPTS * NEW_TOKENS) / seconds)}`;
  return [
    {
      name: 'generate',
      ...times,
      floor: missing ? null : peer.floor,
      unit: 's',
      goal: 'at most 1 x, the same texts',
      reached: times.ratio !== null && times.ratio <= 1 && same === PROMPTS,
      note: missing
        ? peer
        : `${rate(times.ours)} : ${rate(times.peer!)} tokens/s; ${same} of ${PROMPTS} texts the same, token for token`,
    },
  ];
}
