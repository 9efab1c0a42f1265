/** What a pipeline knows before anything runs, and the stages that its data come from. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { answersFile, enrich, enrichEstimate, type EnrichEstimate, type EnrichReport } from '../data/enrich/enrich.js';
import type { EnrichOptions } from '../data/enrich/enrich-options.js';
import { filterOutputs, type FilterReport, filterStage } from '../data/filter/filter-stage.js';
import type { ImportConvertedReport } from '../data/import-converted.js';
import type { JoinReport } from '../data/join/join-datasets.js';
import { type SampleReport, writeSample } from '../data/sample/sample.js';
import { embeddingsName } from '../embed/embed-items.js';
import { hasInput } from '../files/input-files.js';
import { runStage, type Stage } from '../runs/stage.js';
import { InputError } from '../support/errors.js';
import { withAbsolutePaths } from './absolute-paths.js';
import { checkConfig } from './check-config.js';
import type { PipelineConfig } from './config.js';
import { importStage, joinStage, sourceOf, type SourceName, type SourceStage } from './source.js';

/** Paths of a pipeline, its data, and how a stage is run once. */
export class SourceStages {
  /** SID index. */
  readonly index: string;
  /** File of item vectors. */
  readonly embeddings: string;
  /** Folder of the runs. */
  readonly runs: string;
  /** Folder of the figures. */
  readonly figures: string;

  /** With absolute paths, so that a stage is the same wherever its configuration was read. */
  readonly config: PipelineConfig;

  constructor(given: PipelineConfig) {
    checkConfig(given, 'pipeline');
    this.config = withAbsolutePaths(given);
    const { config } = this;
    const { out, dataset, figures, run = 'main' } = config;
    // published SIDs keep their file where a pipeline makes others
    const own = this.source === 'import' && !this.ownIndex ? `${dataset}.own.index.json` : `${dataset}.index.json`;
    this.index = config.sft?.index ?? config.sid?.index ?? join(out, own);
    const vectors = config.sid?.embeddings ?? config.embed?.embeddings;
    this.embeddings = vectors ?? join(out, embeddingsName(dataset, config.embed?.encoder ?? 'lsa'));
    this.runs = join(out, 'runs', run);
    this.figures = figures ?? join(out, 'figures');
  }

  /** Whether the vectors are one's own, so that `embed` has nothing to do. */
  get ownEmbeddings(): boolean {
    return this.ownIndex || this.config.sid?.embeddings !== undefined;
  }

  /** Whether the index is one's own or imported, so that `embed` and `sid` have nothing to do. */
  get ownIndex(): boolean {
    const { sft, sid, embed } = this.config;
    return sft?.index !== undefined || (this.source === 'import' && !sid && !embed);
  }

  /** The stage that the data come from. */
  get source(): SourceName {
    return sourceOf(this.config);
  }

  /** File of preferences, where `enrich` writes one. */
  get preferences(): string | undefined {
    const { enrich, sft } = this.config;
    return sft?.preferences ?? (enrich?.what === 'preferences' ? this.file('preferences.jsonl') : undefined);
  }

  /** Folder of the model that `sft` or `grpo` kept. */
  model(of: 'sft' | 'grpo'): string {
    return join(this.runs, of, 'model');
  }

  /** Results file of a model or a baseline. */
  results(of: string): string {
    return join(this.runs, of, 'results.jsonl');
  }

  /** Reviews and, where there is any, metadata: the configuration's, or the sample's. */
  get raw(): { reviews: string; meta?: string } {
    const { reviews, meta } = this.config.filter ?? {};
    if (reviews !== undefined) return { reviews, ...(meta !== undefined && { meta }) };
    if (!this.config.sample) throw new InputError('pipeline: expected --reviews, or a sample to be written');
    const folder = join(this.config.out, 'raw');
    return { reviews: join(folder, 'reviews.jsonl.gz'), meta: join(folder, 'meta.jsonl.gz') };
  }

  /** Writes the sample catalogue. */
  sample(): Promise<SampleReport> {
    const options = this.config.sample ?? {};
    const out = join(this.config.out, 'raw');
    return this.once('sample', options, [], Object.values(this.raw), () => writeSample({ ...options, out }));
  }

  /** Raw files -> items and rows. */
  filter(): Promise<FilterReport> {
    const { out, dataset, filter = {} } = this.config;
    const raw = this.raw;
    return this.fromSource('filter', {
      options: filter,
      inputs: Object.values(raw),
      outputs: filterOutputs(out, dataset),
      work: () => filterStage({ ...filter, ...raw, out, dataset }),
    });
  }

  /** Published files -> items, rows and index. */
  import(): Promise<ImportConvertedReport> {
    return this.fromSource('import', importStage(this.config));
  }

  /** Several data folders -> items and rows of all. */
  join(): Promise<JoinReport> {
    return this.fromSource('join', joinStage(this.config));
  }

  /** A chat model's texts; what is answered is in the file of answers, so that nothing is asked twice. */
  enrich(): Promise<EnrichReport> {
    return enrich(this.enrichOptions);
  }

  /** What it would ask, and what that would cost. */
  enrichEstimate(): Promise<EnrichEstimate> {
    return enrichEstimate(this.enrichOptions);
  }

  /** File of the chat model's answers. */
  get answers(): string {
    const { out, dataset, enrich: { answers, what = 'items' } = {} } = this.config;
    return answers ?? answersFile(out, dataset, what);
  }

  private get enrichOptions(): EnrichOptions {
    const { out: data, dataset, enrich: options } = this.config;
    if (!options) throw new InputError('pipeline: expected enrich in the configuration, with the name of a chat model');
    return { ...options, data, dataset };
  }

  /** `enrich` adds to the items that a source has written, which are no sign then that the source is out of date. */
  private async fromSource<T>(name: SourceName, { options, inputs, outputs, work }: SourceStage<T>): Promise<T> {
    const { enrich: added, again = false } = this.config;
    const items = this.file('item.json');
    const changed = added && (added.what ?? 'items') === 'items';
    const own = changed ? outputs.filter((path) => path !== items) : outputs;
    return this.once(name, options, inputs, own, work, again || !existsSync(items));
  }

  protected file(ending: string): string {
    return join(this.config.out, `${this.config.dataset}.${ending}`);
  }

  protected splits(): string[] {
    const endings = ['item.json', 'train.inter', 'valid.inter', 'test.inter'];
    return [...endings, ...(this.source === 'join' ? ['parts.json'] : [])].map((ending) => this.file(ending));
  }

  protected async once<T>(
    name: string,
    options: unknown,
    inputs: string[],
    outputs: string[],
    work: () => T | Promise<T>,
    again = this.config.again === true,
  ): Promise<T> {
    for (const input of inputs) {
      if (!hasInput(input)) throw new InputError(`${name}: ${input}: no such file; run the stage before it`);
    }
    const dir = name.startsWith('evaluate') || name.startsWith('ba') ? this.runs : this.config.out;
    const stage: Stage = { name, dir, inputs, options, outputs, again };
    return (await runStage(stage, work)).result;
  }
}
