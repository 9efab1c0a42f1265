/** The prompts of `enrich`, as data: the kit's own, or a file of the same form. */
import { readJson } from '../../files/files.js';
import { InputError } from '../../support/errors.js';
import prompts from './prompts.json' with { type: 'json' };

/** What is asked for: GRec's texts of items, or MiniOneRec's preferences of users. */
export const ENRICH_KINDS = ['items', 'preferences'] as const;
/** A word of `ENRICH_KINDS`. */
export type EnrichKind = (typeof ENRICH_KINDS)[number];

/** A message to the model, with places in braces. */
export interface EnrichPrompt {
  /** What the model is told first; may be empty. */
  system: string;
  /** The question. */
  user: string;
}

const PLACES: Readonly<Record<EnrichKind, readonly string[]>> = {
  items: ['title', 'description', 'brand', 'categories'],
  preferences: ['history_titles'],
};

/** @throws InputError for a file of another form, or a place that is none */
export function enrichPrompt(kind: EnrichKind, file?: string): EnrichPrompt {
  const given = file === undefined ? prompts : readJson<Record<string, unknown>>(file, 'check --prompts');
  const { system = '', user } = ((given as Record<string, unknown>)?.[kind] ?? {}) as Record<string, unknown>;
  const where = `${file ?? 'prompts'}: ${kind}`;
  if (typeof system !== 'string' || typeof user !== 'string') {
    throw new InputError(`${where}: expected {system: text, user: text}`);
  }
  const places = [...user.matchAll(/\{(\w+)\}/g)].map(([, place]) => place!);
  const unknown = places.find((place) => !PLACES[kind].includes(place));
  if (unknown !== undefined || places.length === 0) {
    throw new InputError(`${where}: expected places among ${PLACES[kind].join(', ')}, got ${unknown ?? 'none'}`);
  }
  return { system, user };
}

/** The question with its places filled; `$` and braces in a value stand for themselves. */
export function fillPrompt({ system, user }: EnrichPrompt, values: Readonly<Record<string, string>>): EnrichPrompt {
  return { system, user: user.replace(/\{(\w+)\}/g, (_, place: string) => values[place] || 'unknown') };
}
