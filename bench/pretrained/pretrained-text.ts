/**
 * What a pretrained model writes: greedy continuations of ten prompts, as they are and in the chat template, token for token
 * beside transformers', which reads the same GGUF file by itself. All in float32.
 */
import { generate } from 'sidlab';
import { disposeWeights, loadChatTemplate, loadModel, loadTokenizer } from 'sidlab/lm';
import { peerFolder, runPeer } from '../peer.js';
import type { Row } from '../row.js';
import { pretrainedFile } from './weights.js';

const PROMPTS = [
  'The capital of France is',
  'In 1969, three astronauts flew to the Moon; their names were',
  'def fibonacci(n):\n    """The n-th number."""\n',
  'A customer who bought a soldering iron may also need',
  'Write a short poem about the sea.',
  'What is 17 + 25?',
  'List three uses of safety goggles in a workshop:\n1.',
  'Übersetze ins Deutsche: "Good morning, my friends!" –',
  'O, 3M Scotch-Weld Epoxy Adhesive DP420, 1.25 fl oz, is made for',
  'Once upon a time, in a village by the river,',
];
const NEW_TOKENS = 40;

interface Continued {
  prompt: number[];
  tokens: number[];
  gap: number;
}

export async function pretrainedText(): Promise<Row[]> {
  const file = pretrainedFile();
  const [tokenizer, template] = [loadTokenizer(file), loadChatTemplate(file)];
  const ways = { plain: (text: string) => text, chat: (text: string) => template.wrap(text) };
  const peer = runPeer<Record<keyof typeof ways, Continued[]>>(
    'pretrained/continue_texts.py',
    peerFolder({ model: file, prompts: PROMPTS, newTokens: NEW_TOKENS }),
  );
  const model = loadModel(file);
  const rows: Row[] = [];
  for (const [name, way] of Object.entries(ways) as [keyof typeof ways, (text: string) => string][]) {
    const prompts = PROMPTS.map((text) => tokenizer.encode(way(text)));
    const { texts } = await generate(model, prompts, { maxTokens: NEW_TOKENS });
    const theirs = typeof peer === 'string' ? undefined : peer[name];
    texts.forEach(({ tokens }, i) => console.error(JSON.stringify({ name, text: tokenizer.decode(tokens), same: theirs && theirs[i]!.tokens.join() === tokens.join() }))); // prettier-ignore
    const same = (of: (i: number) => [readonly number[], readonly number[]]): number =>
      PROMPTS.filter((_, i) => of(i)[0].join() === of(i)[1].join()).length;
    const equal = theirs && same((i) => [texts[i]!.tokens, theirs[i]!.tokens]);
    rows.push({
      ...{ name: `pretrained-text ${name}`, ours: equal ?? 0, peer: theirs ? PROMPTS.length : null, floor: null },
      ...{
        unit: `texts of ${PROMPTS.length} that are equal`,
        ratio: equal === undefined ? null : equal / PROMPTS.length,
      },
      ...{ goal: 'all', reached: equal === PROMPTS.length, spread: 0, precision: 'float32', peerPrecision: 'float32' },
      note: theirs
        ? `prompts of equal tokens ${same((i) => [prompts[i]!, theirs[i]!.prompt])}; least gap between the two best logits ${Math.min(...theirs.map(({ gap }) => gap)).toPrecision(2)}`
        : String(peer),
    });
  }
  disposeWeights(model.weights);
  return rows;
}
