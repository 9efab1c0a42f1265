/** Ways of making semantic IDs that a report's numbers ask for, and how good each is on the item vectors. */
import type { BadCaseFile } from '../badcase/report-shape.js';
import type { Vectors } from '../files/npy.js';
import type { PipelineConfig } from '../pipeline/config.js';
import { checkConfig } from '../pipeline/check-config.js';
import { METHODS } from '../sid/methods.js';
import { readSids } from '../sid/files/read-sids.js';
import { sidQuality, type SidQualityInput } from '../sid/quality/quality.js';
import type { SidMethod } from '../sid/sid-method.js';
import { SID_OPTIONS } from '../sid/sid-options.js';
import { changed } from './config-changes.js';
import type { Changes } from './strategy.js';

/** A way of making SIDs. */
export interface Candidate {
  /** In a few words. */
  name: string;
  /** Of the configuration. */
  changes: Changes;
  /** Options of `sid`. */
  sid: Record<string, unknown>;
}

/** How good SIDs are, in the numbers that decide. */
export interface Measured {
  /** Share of items beyond the first of each SID in the end. */
  final: number;
  /** The same before codes were moved; that of the end where nobody knows. */
  collision: number;
  /** Share of nearest neighbours that have the same prefix, beyond chance, mean over the lengths but the last. */
  neighbours: number;
  /** Perplexity over codes of the least even level. */
  evenness: number;
}

/** A candidate and its quality. */
export interface Judged extends Measured {
  candidate: Candidate;
}

/**
 * Of one's own index, SIDs that are made of the vectors as the configuration says; another level, twice the codes, and by what the report says balanced codes (crowded or uneven
 * codes), another method (a small semantic gap), and collisions that are resolved.
 * @param items in the catalogue
 */
export function sidCandidates({ sidQuality: sid }: BadCaseFile, config: PipelineConfig, items: number): Candidate[] {
  const now: Record<string, unknown> = { ...config.sid };
  const { method = 'rqkmeans' } = config.sid ?? {};
  const levels = config.sid?.levels ?? (Array.isArray(config.sid?.codebookSize) ? config.sid.codebookSize.length : 3);
  const size = largestSize(config, items);
  const gap = sid?.semanticGap.find(({ by, length }) => by === 'vectors' && length === 1)?.gap ?? null;
  const uneven = sid?.levels.some(({ perplexity, used }) => perplexity < 0.5 * used) ?? true;
  const keeps = config.sid?.collisions === 'keep' ? { 'sid.collisions': 'reassign' } : {};
  const proposals: [string, Changes][] = [
    ...(method !== 'rqkmeans-plus' ? [['another level', { 'sid.levels': levels + 1, ...oneSize(config, size) }] as [string, Changes]] : []), // prettier-ignore
    ['twice the codes', { 'sid.codebookSize': Math.min(items, 2 * size) }],
    ...(method === 'rqkmeans' && uneven ? [['even codes', { 'sid.uniform': true }] as [string, Changes]] : []),
    ...(method !== 'rqkmeans' || (gap !== null && gap < 0.05) ? [['rqkmeans', plain(now, 'rqkmeans')] as [string, Changes]] : []), // prettier-ignore
    ...(method !== 'rqkmeans-constrained' && uneven ? [['rqkmeans-constrained', plain(now, 'rqkmeans-constrained')] as [string, Changes]] : []), // prettier-ignore
  ];
  const others = proposals.map(([name, changes]) => candidate(name, { ...keeps, ...changes }, config));
  const own =
    config.sft?.index === undefined
      ? []
      : [candidate('made of the vectors', { ...keeps, 'sid.method': method, 'sid.levels': levels }, config)];
  return [...own, ...others].filter((of) => fits(of) && hasRoom(of, items));
}

function candidate(name: string, changes: Changes, config: PipelineConfig): Candidate {
  return { name, changes, sid: { ...changed(config, changes).sid } };
}

/** Whether the method takes its options: a candidate that a method refuses is none. */
function fits({ sid }: Candidate): boolean {
  try {
    checkConfig({ out: '.', dataset: 'x', sid }, 'candidate');
    return true;
  } catch {
    return false;
  }
}

/** Whether items that share a SID can be moved apart, where they are to be. */
function hasRoom({ sid }: Candidate, items: number): boolean {
  const { codebookSize: size, levels = 3, collisions } = sid as NonNullable<PipelineConfig['sid']>;
  const moved = collisions === undefined ? sid.method !== 'rqkmeans-constrained' : collisions === 'reassign';
  const sizes = Array.isArray(size)
    ? size
    : Array.from({ length: levels }, () => (size as number) ?? defaultSize(items));
  return !moved || sizes.reduce((room: number, of: number) => room * of, 1) >= items;
}

/** Of the largest level. */
function largestSize({ sid }: PipelineConfig, items: number): number {
  const { codebookSize } = sid ?? {};
  if (typeof codebookSize === 'number') return codebookSize;
  if (codebookSize) return codebookSize.reduce((most, of) => Math.max(most, of), 1);
  return defaultSize(items);
}

/** The default of `codebookSize`. */
function defaultSize(items: number): number {
  return items < 2048 ? Math.max(8, Math.floor(items / 8)) : 256;
}

/** One size for all levels, where there was one a level: a list has as many levels as numbers. */
function oneSize({ sid }: PipelineConfig, size: number): Changes {
  return typeof sid?.codebookSize === 'object' ? { 'sid.codebookSize': size } : {};
}

/** Another method with the options that every method has; those of the old one go. */
function plain(now: Readonly<Record<string, unknown>>, method: string): Changes {
  const everyone = ['method', 'levels', 'codebookSize', 'seed', 'embeddings', 'index'];
  const gone = Object.keys(now).filter((name) => !everyone.includes(name));
  return { ...Object.fromEntries(gone.map((name) => [`sid.${name}`, null])), 'sid.method': method };
}

/** Makes the SIDs and measures them; nothing is written. @param where names the vectors in errors */
export async function judge({ sid, ...candidate }: Candidate, vectors: Vectors, where: string): Promise<Judged> {
  const { index: _index, ...given } = sid;
  const {
    method,
    embeddings,
    spelling: _spelling,
    countFrom: _count,
    ...options
  } = SID_OPTIONS.parse({ ...given, embeddings: where });
  const { quantize }: SidMethod = typeof method === 'string' ? METHODS[method] : method;
  const { codes, codebooks, raw } = await quantize(vectors, options as never, embeddings);
  const sizes = codebooks.map(({ rows }) => rows);
  return { candidate: { ...candidate, sid }, ...measured({ codes, raw, vectors, sizes }) };
}

/** The same of SIDs that there are. @throws InputError as `readSids` */
export function judgeIndex(index: string, vectors: Vectors): Measured {
  const { codes, raw, codebooks } = readSids(index, vectors.rows);
  const sizes = codebooks.map(({ rows }) => rows);
  return measured({ codes, vectors, ...(raw && { raw }), ...(sizes.length > 0 && { sizes }) });
}

function measured(input: SidQualityInput): Measured {
  const { collision, prefixes, levels } = sidQuality(input);
  const inner = prefixes.slice(0, -1);
  const beyond = inner.map(({ neighbours, neighboursByChance }) => (neighbours ?? 0) - (neighboursByChance ?? 0));
  return {
    final: collision.final,
    collision: collision.raw ?? collision.final,
    neighbours: beyond.reduce((sum, share) => sum + share, 0) / Math.max(1, beyond.length),
    evenness: levels.reduce((least, { perplexity, codes }) => Math.min(least, perplexity / codes), 1),
  };
}

/** By less than this one is not better: everything after the SIDs would be trained anew for it. */
const MARGIN = 0.01;

/** Fewer collisions in the end first; then by what a prefix says of its items, less collisions before codes were moved. */
export function betterThan(one: Measured, other: Measured): boolean {
  if (Math.abs(one.final - other.final) > MARGIN) return one.final < other.final;
  const worth = ({ neighbours, collision, evenness }: Measured): number => neighbours + evenness / 4 - collision;
  return worth(one) > worth(other) + MARGIN;
}
