/** Tables as danfo.js data frames, for those who think in pandas. The package is loaded when it is first asked for. */
import type * as aq from 'arquero';
import type { DataFrame } from 'danfojs-node';

/**
 * Same columns, same rows; a cell that holds a list (a history) becomes its elements with spaces between, since a data
 * frame's cells are numbers, texts and truth values.
 *
 * @example (await toDanfo(toTable(data))).groupby(['user']).col(['length']).max().print()
 */
export async function toDanfo(table: aq.ColumnTable): Promise<DataFrame> {
  const loaded = await import('danfojs-node');
  // CommonJS: whether its names are seen beside `default` depends on who loads it.
  const danfo = 'DataFrame' in loaded ? loaded : (loaded as { default: typeof loaded }).default;
  const columns = table.columnNames().map((name) => [name, Array.from(table.array(name), cell)] as const);
  return new danfo.DataFrame(Object.fromEntries(columns));
}

function cell(value: unknown): unknown {
  return Array.isArray(value) ? value.join(' ') : value;
}
