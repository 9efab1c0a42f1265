/** `sid quality`: an index, its codebooks, vectors and data -> `NAME.sid-quality.json`, three figures, pass or fail. */
import { basename, dirname, join } from 'node:path';
import { loadDataset } from '../../data/load.js';
import { ensureEngine } from '../../engine/engine.js';
import { exportFigure } from '../../figures/export-figure.js';
import { sidLevels, sidPrefixes } from '../../figures/sid/sid-quality.js';
import { sidUsage } from '../../figures/sid/sid-usage.js';
import { readJson, writeJson } from '../../files/files.js';
import { readNpy } from '../../files/npy.js';
import { decoderOf, readSids } from '../files/read-sids.js';
import { countCodes } from '../quantized.js';
import { type GateCheck, qualityGate, type QualityLimits } from './quality-gate.js';
import { sidQuality, type SidQuality } from './quality.js';
import { QUALITY_OPTIONS, type SidQualityStageOptions } from './quality-options.js';

/** What `sidQualityStage` gives back: the metrics, the checks of the gate, and the files. */
export interface SidQualityReport extends SidQuality {
  /** False where a limit is not kept. */
  pass: boolean;
  /** One for each limit. */
  checks: GateCheck[];
  /** File. */
  report: string;
  /** Files without their extension: `.svg` and `.png` of each are there. */
  figures: string[];
}

/** @throws InputError for files that are missing or do not fit together; nothing is written then */
export async function sidQualityStage(options: SidQualityStageOptions): Promise<SidQualityReport> {
  await ensureEngine();
  const settings = QUALITY_OPTIONS.parse(options);
  const { index, embeddings, data, dataset, out = dirname(index), seed, category, limits: given = {} } = settings;
  const limits = typeof given === 'string' ? readJson<QualityLimits>(given) : given;
  const set = data === undefined ? undefined : await loadDataset(data, dataset);
  const saved = readSids(index, set?.items.length);
  const { codes, raw, codebooks } = saved;
  const vectors = embeddings === undefined ? undefined : readNpy(embeddings, 'run sidlab embed first');
  const decode = vectors && decoderOf(saved, vectors, embeddings!);
  const near = decode ?? (codebooks.length > 0 && codebooks.every((book) => book.width === vectors?.width));
  const sizes = codebooks.map((book) => book.rows);
  const quality = sidQuality({
    codes,
    ...(sizes.length > 0 && { sizes }),
    ...(vectors && { vectors }),
    ...(near && { codebooks }),
    ...(decode && { decode }),
    ...(raw && { raw }),
    ...(set && {
      categories: categoriesOf(set.items, category),
      targets: set.test.map(({ target }) => target),
    }),
    seed,
  });
  const gate = qualityGate(quality, limits);
  const name = join(out, basename(index).replace(/\.index\.json$/, ''));
  const figures = [`${name}.sid-levels`, `${name}.sid-prefixes`, `${name}.sid-usage`];
  const levels = quality.levels.map(({ codes: size }) => size);
  await exportFigure(sidLevels(quality.levels), figures[0]!);
  await exportFigure(sidPrefixes(quality.prefixes), figures[1]!);
  await exportFigure(sidUsage(countCodes(codes, levels)), figures[2]!);
  const report = `${name}.sid-quality.json`;
  writeJson(report, { ...quality, ...gate });
  return { ...quality, ...gate, report, figures };
}

type Described = { categories: string; brand: string };

function categoriesOf(items: readonly Described[], wanted?: 'categories' | 'brand'): string[] {
  const field = wanted ?? (items.some(({ categories }) => categories !== '') ? 'categories' : 'brand');
  return items.map((item) => item[field]);
}
