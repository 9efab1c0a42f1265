/** What a model writes after each prompt of a task, beside what it should have written. */
import { collected, together } from '../../cluster/alone.js';
import type { Cluster } from '../../cluster/cluster.js';
import { freeBeams } from '../../decode/free-beams.js';
import type { GenerateOptions } from '../../decode/generate-options.js';
import { generate } from '../../decode/generate.js';
import { endTokensOf } from '../../lm/config.js';
import type { LanguageModel } from '../../lm/language-model.js';
import { END_OF_TEXT, type TextTokenizer } from '../../lm/tokenizer/tokenizer.js';
import { InputError } from '../../support/errors.js';

/** A prompt and the answer that is expected. */
export interface TextExample {
  /** Token ids. */
  prompt: readonly number[];
  /** That is expected. */
  answer: string;
  /** Item id that the example is about, or a row's target. */
  item?: number;
}

/** A line of `generations.jsonl`. */
export interface AnswerRow {
  /** As the model saw it. */
  prompt: string;
  /** That was expected. */
  answer: string;
  /** What the model wrote, without the end and without white space around it. */
  text: string;
  /** False where the model ran out of tokens before it ended. */
  ended: boolean;
  /** Item id that the example is about, if any. */
  item?: number;
  /** Of beam search all texts, best first; the first is `text`. */
  beams?: string[];
}

/** How answers are written. */
export interface AnswerOptions extends GenerateOptions {
  /** Beam search with so many beams, in place of one greedy or sampled text. Default 0: none. */
  numBeams?: number;
  /** Processes that share the batches; process 0 has all texts then, the others their own. Default this one alone. */
  cluster?: Cluster | undefined;
}

/** What was written, and how fast. */
export interface Answers {
  /** In the order of the examples; those that `stop` left open are missing. */
  rows: AnswerRow[];
  /** Written, ends included. */
  tokens: number;
  /** Written tokens a second. */
  tokensPerSecond: number;
}

/**
 * A text ends at any end token of the model, and at the kit's where the vocabulary has it (an instruct model's main end
 * is that of a turn; what it was trained on here ends with the other).
 * @throws InputError as `generate` does, and for beams that are to be sampled
 */
export async function generateAnswers(
  model: LanguageModel,
  tokenizer: TextTokenizer,
  examples: readonly TextExample[],
  options: AnswerOptions = {},
): Promise<Answers> {
  const { numBeams = 0, cluster, ...own } = options;
  const others = { ...own, ...(cluster && { share: cluster }) };
  const end = tokenizer.has(END_OF_TEXT) ? [tokenizer.tokenId(END_OF_TEXT)] : [];
  const endTokens = [...new Set([...endTokensOf(model.config), ...end])];
  const prompts = examples.map(({ prompt }) => prompt);
  const write = (): Promise<Written> =>
    numBeams > 0
      ? writeBeams(model, prompts, { endTokens, ...others, numBeams })
      : writeTexts(model, prompts, { endTokens, ...others });
  const written = ofAll(cluster, await together(cluster, write));
  const rows = examples.flatMap(({ prompt, answer, item }, i): AnswerRow[] => {
    const texts = written.texts[i]!.map((tokens) => tokenizer.decode(tokens).trim());
    const [text] = texts;
    if (text === undefined) return [];
    return [
      {
        ...{ prompt: tokenizer.decode(prompt), answer, text, ended: written.ended[i]! },
        ...(item !== undefined && { item }),
        ...(numBeams > 0 && { beams: texts }),
      },
    ];
  });
  return { rows, tokens: written.tokens, tokensPerSecond: written.tokens / Math.max(written.seconds, 1e-9) };
}

interface Written {
  /** Tokens of each prompt's texts, best first; none where it was stopped. */
  texts: number[][][];
  /** Whether the best text of each came to its end. */
  ended: boolean[];
  tokens: number;
  seconds: number;
}

/** What all processes wrote. */
function ofAll(cluster: Cluster | undefined, own: Written): Written {
  if (!cluster) return own;
  const all: Written = { texts: own.texts.map(() => []), ended: own.ended.map(() => false), tokens: 0, seconds: 0 };
  const mine = own.texts.flatMap((texts, i) => (texts.length > 0 ? [{ i, texts, ended: own.ended[i]! }] : []));
  for (const { i, texts, ended } of collected(cluster, mine)) [all.texts[i], all.ended[i]] = [texts, ended];
  for (const [tokens, seconds] of cluster.numbers([own.tokens, own.seconds])) {
    all.tokens += tokens!;
    all.seconds = Math.max(all.seconds, seconds!);
  }
  return all;
}

async function writeTexts(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): Promise<Written> {
  const { texts, tokens, seconds } = await generate(model, prompts, options);
  return {
    texts: texts.map(({ tokens, reason }) => (reason === 'stopped' ? [] : [tokens])),
    ended: texts.map(({ reason }) => reason === 'end'),
    tokens,
    seconds,
  };
}

async function writeBeams(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  { temperature = 0, topP = 1, topK = 0, ...options }: AnswerOptions,
): Promise<Written> {
  if (temperature > 0 || topP < 1 || topK > 0) {
    throw new InputError('generate: expected beams or a temperature, got both; beams draw nothing');
  }
  const start = performance.now();
  const found = await freeBeams(model, prompts, options);
  const all = found.flat();
  return {
    texts: found.map((beams) => beams.map(({ tokens }) => tokens)),
    ended: found.map(([best]) => best?.ended === true),
    tokens: all.reduce((sum, { tokens, ended }) => sum + tokens.length + Number(ended), 0),
    seconds: (performance.now() - start) / 1000,
  };
}
