/** Commands about semantic IDs. */
import { boolean } from '../../options/kinds.js';
import { SID_EXPORT_OPTIONS, SID_IMPORT_OPTIONS } from '../../sid/files/reference-options.js';
import { QUALITY_OPTIONS } from '../../sid/quality/quality-options.js';
import type { SidQualityReport } from '../../sid/quality/quality-stage.js';
import { SID_OPTIONS } from '../../sid/sid-options.js';
import { InputError } from '../../support/errors.js';
import type { Command } from '../command.js';
import { record } from '../print.js';
import { checked } from './shared.js';

/** By name. */
export const SID_COMMANDS = {
  sid: {
    summary: 'item vectors -> semantic IDs',
    schema: SID_OPTIONS,
    parallel: true,
    extra: { extend: boolean('keep the index, and give SIDs to items beyond its last from the saved codebooks') },
    run: async (values, { extend }) => {
      if (extend) return extendCommand(values);
      return (await import('../../sid/sid-stage.js')).sidStage(checked(values));
    },
  },
  'sid quality': {
    summary: 'metrics of semantic IDs: collisions, codes in use, neighbours; and a gate',
    schema: QUALITY_OPTIONS,
    run: async (values) => {
      const { ensureEngine } = await import('../../engine/engine.js');
      await ensureEngine();
      const report = await (await import('../../sid/quality/quality-stage.js')).sidQualityStage(checked(values));
      if (!report.pass) process.exitCode = 1;
      return report;
    },
    print: async (report: SidQualityReport) => {
      const { tableText } = await import('../../figures/show-table.js');
      const { levels, prefixes, checks, ...rest } = report;
      const flat = levels.map(({ clusterSize, mse, ...level }) => ({
        ...level,
        mse: mse?.toPrecision(3) ?? '',
        items: `${clusterSize.min} / ${clusterSize.median} / ${clusterSize.max}`,
      }));
      const asRows = (of: readonly object[]) => of.map((row) => ({ ...row }));
      const tables = [flat, asRows(prefixes), ...(checks.length > 0 ? [asRows(checks)] : [])];
      return [record(rest), ...tables.map((rows) => tableText(rows))].join('\n\n');
    },
  },
  'sid import': {
    summary: "MiniOneRec's codebooks_constrained.npz, codes_constrained.npy and index -> an index of the kit",
    schema: SID_IMPORT_OPTIONS,
    run: async (values) => {
      const { ensureEngine } = await import('../../engine/engine.js');
      await ensureEngine();
      return (await import('../../sid/files/reference-files.js')).importSids(checked(values));
    },
  },
  'sid export': {
    summary: "an index's codebooks and codes -> codebooks_constrained.npz and codes_constrained.npy",
    schema: SID_EXPORT_OPTIONS,
    run: async (values) => (await import('../../sid/files/reference-files.js')).exportSids(checked(values)),
  },
} satisfies Record<string, Command>;

async function extendCommand({ embeddings, index, ...others }: Record<string, unknown>): Promise<unknown> {
  if (index === undefined || Object.keys(others).length > 0) {
    throw new InputError('sid: expected --index and --embeddings beside --extend, and nothing else');
  }
  const { clusterConfig } = await import('../../engine/cluster.js');
  if (clusterConfig()) throw new InputError('sid: --extend runs in one process; start one, without TF_CONFIG');
  const { ensureEngine } = await import('../../engine/engine.js');
  await ensureEngine();
  return (await import('../../sid/extend-index.js')).extendIndex(checked({ embeddings, index }));
}
