/**
 * Which rows an object represents. Rows and results of the kit are plain objects, so they are recognized by their
 * fields; nothing of the rooms that make them is imported here.
 */
import { types } from 'node:util';

/**
 * What `showTable`, `toTable` and `toDataFrame` take: rows (objects, arrays or single values; any iterable), a data set
 * (its three splits), a comparison of runs (its runs), the curves of one (a row a logged line), bad cases (the cases),
 * an arquero table, a danfo.js data frame or series, a `Map`, or one object.
 */
export type TableLike = readonly unknown[] | object;

interface ArqueroTable {
  columnNames(): string[];
  array(name: string): ArrayLike<unknown>;
  numRows(): number;
}

interface DanfoFrame {
  $isSeries: boolean;
  columns: (string | number)[];
  values: unknown[];
  index: (string | number)[];
}

/** The rows of an object that represents several; undefined where it is a row itself. */
export function listOf(value: TableLike): readonly unknown[] | undefined {
  if (isArquero(value)) return arqueroRows(value);
  if (isDanfo(value)) return danfoRows(value);
  if (types.isMap(value)) return [...value].map(([key, value]) => ({ key, value }));
  if (Array.isArray(value)) return isCurves(value) ? curveRows(value) : (value as unknown[]);
  if (Symbol.iterator in value) return Array.from(value as Iterable<unknown>);
  return datasetRows(value) ?? runs(value) ?? cases(value);
}

function isArquero(value: object): value is ArqueroTable {
  const { columnNames, array, numRows } = value as Partial<ArqueroTable>;
  return [columnNames, array, numRows].every((method) => typeof method === 'function');
}

function arqueroRows(table: ArqueroTable): object[] {
  const columns = table.columnNames().map((name) => [name, table.array(name)] as const);
  return Array.from({ length: table.numRows() }, (_, i) => record(columns.map(([name, column]) => [name, column[i]])));
}

function isDanfo(value: object): value is DanfoFrame {
  return '$isSeries' in value && Array.isArray((value as DanfoFrame).columns);
}

/** An index that says more than the row's number, as that of `describe()`, is the first column. */
function danfoRows({ $isSeries, columns, values, index }: DanfoFrame): unknown[] {
  const numbered = index.every((label, i) => label === i);
  const labelled = (i: number): [string, unknown][] => (numbered ? [] : [['index', index[i]]]);
  const name = String(columns[0]);
  if ($isSeries) return values.map((value, i) => record([...labelled(i), [name === '0' ? 'value' : name, value]]));
  const cells = (row: unknown[]): [string, unknown][] => columns.map((name, j) => [String(name), row[j]]);
  return (values as unknown[][]).map((row, i) => record([...labelled(i), ...cells(row)]));
}

type Curve = { name: string; lines: object[] };

function isCurves(list: readonly unknown[]): list is Curve[] {
  const isCurve = (entry: unknown) => isObject(entry) && typeof entry.name === 'string' && isRows(entry.lines);
  return list.length > 0 && list.every(isCurve);
}

/** The lines of all runs, each with its `run`. */
function curveRows(curves: readonly Curve[]): object[] {
  return curves.flatMap(({ name, lines }) => lines.map((line) => ({ run: name, ...line })));
}

/** Rows of a data set, each with its `split`. */
function datasetRows(value: object): object[] | undefined {
  const { train, valid, test } = value as Record<string, unknown>;
  if (![train, valid, test].every(isRows)) return undefined;
  const splits = Object.entries({ train, valid, test }) as [string, object[]][];
  return splits.flatMap(([split, rows]) => rows.map((row) => ({ split, ...row })));
}

function runs(value: object): object[] | undefined {
  const { runs, curves } = value as Record<string, unknown>;
  return isRows(runs) && isRows(curves) ? runs : undefined;
}

function cases(value: object): object[] | undefined {
  const { cases, modes } = value as Record<string, unknown>;
  return isRows(cases) && isObject(modes) ? cases : undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isRows = (value: unknown): value is object[] => Array.isArray(value) && value.every(isObject);

/** Rows inherit nothing: a column may be named `constructor` or `__proto__`. (V8 keeps these faster than null ones.) */
class Row {}
Object.setPrototypeOf(Row.prototype, null);
Reflect.deleteProperty(Row.prototype, 'constructor');

/** An object of named values; the names may be any text. */
export function record(fields: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const result = new Row() as Record<string, unknown>;
  for (const [name, value] of fields) result[name] = value;
  return result;
}
