/**
 * Parquet through DuckDB (`@duckdb/node-api`), out of core and chunk by chunk. The package is loaded when the first
 * Parquet file is read, and not before: its library is 70 MB.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { checkFile } from '../../files/check-file.js';
import { InputError } from '../../support/errors.js';
import { type ColumnMap, placesOf, type Role, ROLES } from './columns.js';
import type { InteractionSink } from './interactions.js';
import { parseJson } from './json-text.js';
import { TIME_EXPECTED, timeOf } from './times.js';
import { NAME_EXPECTED, nameOf, shown } from './values.js';

/**
 * Columns that are not mapped go by their usual names; without a time the order of the file is the order.
 * @throws InputError as `readParquet`, and for a row that does not fit: file, row and mend
 */
export async function readParquetInteractions(path: string, columns: ColumnMap, into: InteractionSink): Promise<void> {
  let row = 0;
  const roles = ['user', 'item', 'time', 'stars'] as const;
  for await (const chunk of readParquet(path, columns, roles, ['user', 'item'])) {
    const [[users], [items], [times], [stars]] = [chunk.user, chunk.item, chunk.time, chunk.stars];
    into.timed = times !== undefined;
    for (let i = 0; i < users!.length; i++) {
      row++;
      const time = times === undefined ? into.length : timeOf(times[i]);
      if (time === undefined) throw wrong(path, row, `time to be ${TIME_EXPECTED}`, times![i]);
      const [user, item] = [nameOf(users![i]), nameOf(items![i])];
      if (user === undefined) throw wrong(path, row, `user to be ${NAME_EXPECTED}`, users![i]);
      if (item === undefined) throw wrong(path, row, `item to be ${NAME_EXPECTED}`, items![i]);
      into.add(into.userNames.id(user), into.itemNames.id(item), time, Number(stars?.[i] ?? 0) || 0);
    }
  }
}

/** Columns of some rows: of each role its columns, the preferred first, each with a value a row. */
export type ParquetChunk = Record<Role, readonly (readonly unknown[])[]>;

/**
 * Columns chunk by chunk. Values are texts or null; lists and structures are what their JSON says, times of day and
 * dates are UTC as text, whole doubles have no point, binary columns are UTF-8.
 * @param roles to look up
 * @param needed roles without which the file is of no use
 * @throws InputError for a file that is missing or no Parquet, or a column that is missing
 */
export async function* readParquet(
  path: string,
  columns: ColumnMap,
  roles: readonly Role[],
  needed: readonly Role[],
): AsyncGenerator<ParquetChunk> {
  checkFile(path);
  const connection = await connect();
  try {
    const file = `read_parquet('${escapeGlob(path).replaceAll("'", "''")}', hive_partitioning = false, binary_as_string = true)`;
    const described = (await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${file}`)).getRows();
    const [names, types] = [0, 1].map((at) => described.map((row) => String(row[at]))) as [string[], string[]];
    const places = placesOf(names, columns, roles, needed, path);
    const wanted = [...new Set(ROLES.flatMap((role) => places[role]))];
    const list = wanted.map((at) => asText(names[at]!, types[at]!));
    const result = await connection.stream(`SELECT ${list.join(', ')} FROM ${file}`);
    for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      const values = new Map(
        wanted.map((at, i) => {
          const texts = chunk!.getColumnValues(i) as readonly (string | null)[];
          return [at, isNested(types[at]!) ? texts.map((text) => text && parseJson(text)) : texts];
        }),
      );
      yield Object.fromEntries(
        ROLES.map((role) => [role, places[role].map((at) => values.get(at)!)]),
      ) as unknown as ParquetChunk;
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: cannot be read as Parquet (${(error as Error).message.split('\n')[0]})`);
  } finally {
    connection.closeSync();
  }
}

async function connect(): Promise<DuckDBConnection> {
  const duckdb = await import('@duckdb/node-api').catch(() => {
    throw new InputError('filter: Parquet needs the package @duckdb/node-api; npm install @duckdb/node-api');
  });
  const instance = await duckdb.DuckDBInstance.create(':memory:');
  return instance.connect();
}

/** DuckDB takes a path for a pattern: `[1]` would match `1`. */
function escapeGlob(path: string): string {
  return path.replace(/[[*?]/g, (mark) => `[${mark}]`);
}

function isNested(type: string): boolean {
  return /\]$|^(STRUCT|MAP|UNION|VARIANT)\b|^JSON$/.test(type);
}

/** SQL that gives a column as text. */
function asText(name: string, type: string): string {
  const column = `"${name.replaceAll('"', '""')}"`;
  if (isNested(type)) return `CAST(to_json(${column}) AS VARCHAR)`;
  if (type === 'BLOB') return `decode(${column})`;
  if (type.startsWith('TIMESTAMP') || type === 'DATE') {
    return `CAST(make_timestamp(epoch_us(${column})) AS VARCHAR)`;
  }
  if (type === 'DOUBLE' || type === 'FLOAT') {
    const whole = `${column} = trunc(${column}) AND abs(${column}) < 9007199254740992`;
    return `CASE WHEN isnan(${column}) THEN NULL WHEN ${whole} THEN CAST(CAST(${column} AS BIGINT) AS VARCHAR) ELSE CAST(${column} AS VARCHAR) END`;
  }
  return `CAST(${column} AS VARCHAR)`;
}

function wrong(path: string, row: number, expected: string, got: unknown): InputError {
  return new InputError(`${path}: row ${row}: expected ${expected}, got ${shown(got)}; mend or remove the row`);
}
