/** Generated texts to look at: rows for `showTable` and `tableText`. */
import type { AnswerRow } from './generate-answers.js';

/** A prompt, the expected answer and the text that was written, for a table. */
export interface AnswerTableRow extends Record<string, unknown> {
  /** As text. */
  prompt: string;
  /** That was expected. */
  answer: string;
  /** That was written. */
  text: string;
}

/**
 * Each row in one line, whatever a model wrote: control characters and line breaks become blanks, so that nothing of it
 * can steer a terminal; what is shown as HTML is escaped by `showTable`.
 * @param most the first so many; default 10
 */
export function answerTable(rows: readonly AnswerRow[], most = 10): AnswerTableRow[] {
  const line = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return rows
    .slice(0, most)
    .map(({ prompt, answer, text }) => ({ prompt: line(prompt), answer: line(answer), text: line(text) }));
}
