/**
 * Answers that were paid for, in a file of JSON lines: a question that was asked before, by the same model and options,
 * is not asked again, whatever stopped the run. A last line that was cut short is passed over.
 */
import { existsSync, readFileSync } from 'node:fs';
import { appendOrFail, hashText } from '../../files/files.js';

/** Answers by question. */
export class AnswerCache {
  private readonly answers = new Map<string, string>();
  private torn = false;

  /** @param path file of the answers; made with the first one */
  constructor(private readonly path: string) {
    if (!existsSync(path)) return;
    const text = readFileSync(path, 'utf8');
    this.torn = text !== '' && !text.endsWith('\n');
    for (const line of text.split('\n')) {
      try {
        const { key, text: answer } = JSON.parse(line) as { key?: unknown; text?: unknown };
        if (typeof key === 'string' && typeof answer === 'string') this.answers.set(key, answer);
      } catch {
        continue; // cut short, or empty
      }
    }
  }

  /** @param question all that decides the answer but the key of the API */
  static keyOf(question: unknown): string {
    return hashText(JSON.stringify(question)).slice(0, 32);
  }

  get(key: string): string | undefined {
    return this.answers.get(key);
  }

  put(key: string, text: string): void {
    this.answers.set(key, text);
    appendOrFail(this.path, `${this.torn ? '\n' : ''}${JSON.stringify({ key, text })}\n`);
    this.torn = false;
  }
}
