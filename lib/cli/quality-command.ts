/** `sidlab sid quality`: figures of semantic IDs, and a gate. */
import { tableText } from '../figures/show-table.js';
import { type SidQualityReport, sidQualityStage } from '../sid/quality/quality-stage.js';
import type { Command } from './command.js';
import { options } from './options.js';
import { record } from './print.js';

export const qualityCommand: Command = {
  summary: 'figures of semantic IDs: collisions, codes in use, neighbours; and a gate',
  flags: ['index', 'embeddings', 'data', 'dataset', 'category', 'limits', 'out', 'seed'],
  needs: ['index'],
  engine: true,
  run: async (values) => {
    const report = await sidQualityStage(options(values));
    if (!report.pass) process.exitCode = 1;
    return report;
  },
  print: (report: SidQualityReport) => {
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
};
