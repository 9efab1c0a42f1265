/** Commands that make data: from sources to rows and items, texts, vectors, files of other systems. */
import { PLANTABLE } from '../../badcase/plant/faults.js';
import { CONVERT_OPTIONS } from '../../data/convert-options.js';
import { ENRICH_OPTIONS } from '../../data/enrich/enrich-options.js';
import { FILTER_OPTIONS } from '../../data/filter/filter-options.js';
import { IMPORT_CONVERTED_OPTIONS } from '../../data/import-options.js';
import { JOIN_OPTIONS } from '../../data/join/join-options.js';
import { WRITE_SAMPLE_OPTIONS } from '../../data/sample/sample-options.js';
import { EMBED_OPTIONS } from '../../embed/embed-options.js';
import { I2I_OPTIONS } from '../../embed/i2i/i2i-options.js';
import { choice } from '../../options/kinds.js';
import { IMPORT_OPTIONS } from '../../tasks/import/import-options.js';
import type { Command } from '../command.js';
import type { I2iCommandReport } from '../i2i-command.js';
import { checked, DRY_RUN } from './shared.js';

/** By name. */
export const DATA_COMMANDS = {
  sample: {
    summary: 'write a sample catalogue: reviews and metadata in the Amazon 2018 format',
    schema: WRITE_SAMPLE_OPTIONS,
    extra: {
      plant: choice(PLANTABLE, 'also filter it, give it semantic IDs, and plant a fault that badcase should name', {
        otherwise: 'none',
      }),
    },
    run: async (values, { plant }) =>
      plant === undefined
        ? (await import('../../data/sample/sample.js')).writeSample(checked(values))
        : (await import('../../pipeline/plant-sample.js')).plantSample(checked({ ...values, plant })),
  },
  filter: {
    summary: 'raw interactions and item texts -> items and training, validation and test rows',
    schema: FILTER_OPTIONS,
    run: async (values) => (await import('../../data/filter/filter-stage.js')).filterStage(checked(values)),
  },
  join: {
    summary:
      'several data folders -> one, for one tokenizer and one model of all; evaluate, baseline and badcase keep them apart',
    schema: JOIN_OPTIONS,
    run: async (values) => (await import('../../data/join/join-datasets.js')).joinDatasets(checked(values)),
  },
  import: {
    summary: "MiniOneRec's published rows, items and index -> a data folder, in place of filter, embed and sid",
    schema: IMPORT_CONVERTED_OPTIONS,
    run: async (values) => (await import('../../data/import-converted.js')).importConverted(checked(values)),
  },
  enrich: {
    summary:
      "a chat model's texts of items (enhanced title, tags, ...) or of users' tastes, by any API of OpenAI's form",
    schema: ENRICH_OPTIONS,
    extra: DRY_RUN,
    run: async (values, { dryRun }) => {
      const { enrich, enrichEstimate } = await import('../../data/enrich/enrich.js');
      return dryRun ? enrichEstimate(checked(values)) : enrich(checked(values));
    },
  },
  embed: {
    summary: 'item texts -> item vectors',
    schema: EMBED_OPTIONS,
    parallel: true,
    run: async (values) => (await import('../../embed/embed-items.js')).embedItems(checked(values)),
  },
  i2i: {
    summary: "encoders' vectors against what users buy together: Hit@k and ranks of the most frequent neighbour",
    schema: I2I_OPTIONS,
    run: async (values) => (await import('../i2i-command.js')).i2iCommand(checked(values)),
    print: async (report: I2iCommandReport) => {
      const { tableText } = await import('../../figures/show-table.js');
      return `${tableText(report.rows.map((row) => ({ ...row })))}\n\n${report.figures.join('\n')}`;
    },
  },
  convert: {
    summary: "rows and index -> MiniOneRec's CSV and info files",
    schema: CONVERT_OPTIONS,
    run: async (values) => (await import('../../data/convert.js')).convert(checked(values)),
  },
  templates: {
    summary: "the reference's prompts (data.py, prompt.py) -> a file for --templates",
    schema: IMPORT_OPTIONS,
    run: async (values) => (await import('../../tasks/import/import-templates.js')).importTemplates(checked(values)),
  },
} satisfies Record<string, Command>;
