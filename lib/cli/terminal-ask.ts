/** Asks on a terminal. */
import { createInterface } from 'node:readline/promises';
import type { Ask } from '../pipeline/ask.js';
import { InputError } from '../support/errors.js';

/** A terminal that can be asked. */
export interface Terminal {
  input: NodeJS.ReadableStream & { isTTY?: boolean };
  /** Questions go here: standard output is for results. */
  output: NodeJS.WritableStream & { isTTY?: boolean };
}

/**
 * @param command that asks, and its flag that leaves the questions out: what is said where the input ends
 * @returns undefined where nobody could answer: input or the stream of the questions is no terminal
 */
export function terminalAsk(
  terminal: Terminal = { input: process.stdin, output: process.stderr },
  { command, flag } = { command: 'pipeline', flag: '--yes' },
): Ask | undefined {
  if (!terminal.input.isTTY || !terminal.output.isTTY) return undefined;
  return async ({ stage, text, otherwise, read }) => {
    const lines = createInterface({ ...terminal, terminal: false });
    try {
      for (;;) {
        const answer = await new Promise<string>((resolve, reject) => {
          lines.once('close', () =>
            reject(new InputError(`${command}: no answer about ${stage}; ${flag} asks nothing`)),
          );
          lines.question(`${stage}: ${text} `).then(resolve, reject);
        });
        const value = answer.trim() === '' ? otherwise : read(answer.trim());
        if (value !== undefined) return value;
        terminal.output.write('not understood\n');
      }
    } finally {
      lines.close();
    }
  };
}
