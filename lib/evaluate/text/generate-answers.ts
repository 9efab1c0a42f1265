/** What a model writes after each prompt of a task, beside what it should have written. */
import { generate } from '../../decode/index.js';
import type { GenerateOptions } from '../../decode/index.js';
import { END_OF_TEXT } from '../../lm/index.js';
import type { LanguageModel, TextTokenizer } from '../../lm/index.js';

export interface TextExample {
  /** Token ids. */
  prompt: readonly number[];
  answer: string;
  /** Item id that the example is about, or a row's target. */
  item?: number;
}

/** A line of `generations.jsonl`. */
export interface AnswerRow {
  /** As the model saw it. */
  prompt: string;
  answer: string;
  /** What the model wrote, without the end and without white space around it. */
  text: string;
  /** False where the model ran out of tokens before it ended. */
  ended: boolean;
  item?: number;
}

export interface Answers {
  /** In the order of the examples; those that `stop` left open are missing. */
  rows: AnswerRow[];
  /** Written, ends included. */
  tokens: number;
  tokensPerSecond: number;
}

/**
 * A text ends at the model's own end of text, and at the kit's where the vocabulary has it (an instruct model's own end
 * is that of a turn; what it was trained on here ends with the other).
 */
export async function generateAnswers(
  model: LanguageModel,
  tokenizer: TextTokenizer,
  examples: readonly TextExample[],
  options: GenerateOptions = {},
): Promise<Answers> {
  const ends = [model.config.eosTokenId, ...(tokenizer.has(END_OF_TEXT) ? [tokenizer.tokenId(END_OF_TEXT)] : [])];
  const prompts = examples.map(({ prompt }) => prompt);
  const { texts, tokens, tokensPerSecond } = await generate(model, prompts, { endTokens: ends, ...options });
  const rows = examples.flatMap(({ prompt, answer, item }, i): AnswerRow[] => {
    const { tokens, reason } = texts[i]!;
    if (reason === 'stopped') return [];
    const text = tokenizer.decode(tokens).trim();
    return [
      { prompt: tokenizer.decode(prompt), answer, text, ended: reason === 'end', ...(item !== undefined && { item }) },
    ];
  });
  return { rows, tokens, tokensPerSecond };
}
