/** TypeScript out of documents, and tslab's own type check of it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** A cell of a notebook, or a fenced block of a Markdown file. */
export interface Block {
  /** Line of its first line in a Markdown file; the number of the code cell, from 1, in a notebook. */
  at: number;
  source: string;
}

/** Blocks fenced as `ts` or `typescript`. */
export function markdownBlocks(text: string): Block[] {
  return [...text.matchAll(/^( *)```(?:ts|typescript)\b[^\n]*\n([\s\S]*?)^\1```/gm)].map((match) => ({
    at: text.slice(0, match.index).split('\n').length + 1,
    source: match[2]!,
  }));
}

/** Code cells in order. */
export function notebookBlocks(text: string): Block[] {
  const { cells } = JSON.parse(text) as { cells: { cell_type: string; source: string | string[] }[] };
  const code = cells.filter(({ cell_type: type }) => type === 'code');
  return code.map(({ source }, i) => ({ at: i + 1, source: [source].flat().join('') }));
}

export function blocksOf(file: string): Block[] {
  const text = readFileSync(file, 'utf8');
  return file.endsWith('.ipynb') ? notebookBlocks(text) : markdownBlocks(text);
}

interface Converted {
  diagnostics: { start: { line: number }; messageText: string; code: number }[];
  declOutput?: string;
}

export interface CellChecker {
  /** Errors of blocks that are one program, each as `BLOCK:LINE TS2322 ...`; a block that fails declares nothing. */
  errors(blocks: readonly Block[]): string[];
  close(): void;
}

/**
 * tslab's converter: its TypeScript, its compiler options, its resolution of modules, its way of handing what one cell
 * declares to the next. It works from the process's folder, so the process moves there.
 * @param folder where the cells are: `sidlab` is found from there
 */
export function cellChecker(folder: string): CellChecker {
  process.chdir(folder);
  const require = createRequire(join(folder, 'cell.js'));
  const tslab = createRequire(import.meta.url).resolve('tslab/dist/converter');
  const { createConverter } = require(tslab) as {
    createConverter(options: object): { convert(declared: string, source: string): Converted; close(): void };
  };
  const converter = createConverter({ isJS: false, isBrowser: false });
  return {
    errors(blocks) {
      let declared = '';
      return blocks.flatMap(({ at, source }) => {
        const { diagnostics, declOutput } = converter.convert(declared, source);
        declared = declOutput ?? declared;
        return diagnostics.map(({ start, code, messageText }) => `${at}:${start.line + 1} TS${code} ${messageText}`);
      });
    },
    close: () => converter.close(),
  };
}
