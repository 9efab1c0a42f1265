/**
 * The prompt that a model was trained with, in its own folder (`sidlab.json`), so that it goes where the model goes: a
 * model that is merged, copied or moved is asked in the words that it knows. Other programs pass the file over.
 */
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readJson, writeJson } from '../files/files.js';
import { InputError } from '../support/errors.js';

/** Name of the file. */
export const PROMPT_CARD = 'sidlab.json';

/** How the prompts of a model's training were made; what is absent is the kit's default. */
export interface PromptCard {
  /** Name of the task that was ranked on validation rows, such as `seqrec`. */
  template?: string;
  /** The prompt templates of all trained tasks by name, each `{of, separator, answer, prompts}`. */
  templates?: Readonly<Record<string, unknown>>;
  /** Tokens of a prompt at most. */
  cutoffLen?: number;
  /** Whether prompts are wrapped in the chat template of the model's folder. */
  chatTemplate?: boolean;
  /** How SIDs are written: in tokens of their own, or spelled in subwords. */
  sidTokens?: 'new' | 'subwords';
  /** Share of the items that tasks of items held out for validation, and as many for the test. */
  heldOutItems?: number;
}

/** Where a card was found: in the model's folder, in the run's `config.json` beside it, or nowhere. */
export const PROMPT_SOURCES = ['model', 'run', 'default'] as const;
/** A word of `PROMPT_SOURCES`. */
export type PromptSource = (typeof PROMPT_SOURCES)[number];

/** A card, and where it was found. */
export interface FoundPromptCard {
  /** Empty where none was found. */
  card: PromptCard;
  source: PromptSource;
  /** The file; absent where none was found. */
  file?: string;
}

const FORMAT = 1;

/** Writes `sidlab.json` into a model's folder. */
export function writePromptCard(folder: string, card: PromptCard): void {
  writeJson(join(folder, PROMPT_CARD), { format: FORMAT, prompt: card });
}

/**
 * The card of a model's folder; of a folder that a run wrote before there were cards, what the run's own `config.json`
 * beside it says.
 * @throws InputError for a file that is damaged or of another version
 */
export function findPromptCard(folder: string): FoundPromptCard {
  const file = join(folder, PROMPT_CARD);
  if (existsSync(file)) {
    const { format, prompt } = readJson<{ format?: unknown; prompt?: unknown }>(file) ?? {};
    if (format !== FORMAT || !isObject(prompt)) {
      throw new InputError(`${file}: expected {"format": ${FORMAT}, "prompt": {...}}; copy it from the model again`);
    }
    return { card: checked(prompt, file), source: 'model', file };
  }
  const run = join(dirname(folder), 'config.json');
  const config: unknown = existsSync(run) ? readJson(run) : undefined;
  if (!isObject(config) || (config.stage !== 'sft' && config.stage !== 'grpo')) return { card: {}, source: 'default' };
  return { card: checked(config, run), source: 'run', file: run };
}

/** Copies what `findPromptCard` finds of one folder into another, in place of whatever card was there. */
export function copyPromptCard(from: string | undefined, to: string): void {
  const found = from === undefined ? undefined : findPromptCard(from);
  if (found && found.source !== 'default') writePromptCard(to, found.card);
  else rmSync(join(to, PROMPT_CARD), { force: true });
}

const KINDS: { [K in keyof PromptCard]-?: (value: unknown) => boolean } = {
  template: (value) => typeof value === 'string',
  templates: isObject,
  cutoffLen: (value) => Number.isInteger(value) && (value as number) > 0,
  chatTemplate: (value) => typeof value === 'boolean',
  sidTokens: (value) => value === 'new' || value === 'subwords',
  heldOutItems: (value) => typeof value === 'number' && value > 0 && value < 0.5,
};

/** The fields of a card among those of a file; null counts as absent. */
function checked(fields: Record<string, unknown>, file: string): PromptCard {
  const names = Object.keys(KINDS) as (keyof PromptCard)[];
  const given = names.filter((name) => fields[name] !== undefined && fields[name] !== null);
  for (const name of given) {
    if (KINDS[name](fields[name])) continue;
    throw new InputError(
      `${file}: ${name} cannot be ${JSON.stringify(fields[name])}; copy the file from the model again`,
    );
  }
  return Object.fromEntries(given.map((name) => [name, fields[name]]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
