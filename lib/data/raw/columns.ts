/** Which column of a table is what: `user=customer,item=sku,time=bought_at`. */
import { InputError } from '../../support/errors.js';

/** What a column of a table may hold. */
export const ROLES = ['user', 'item', 'time', 'stars', 'title', 'description', 'brand', 'categories'] as const;
/** What a column can be. */
export type Role = (typeof ROLES)[number];

/** A column's name, or its place from 0 in a file without a header. */
export type ColumnMap = Partial<Record<Role, string | number>>;

/**
 * Names that need no map, in the order in which they are looked for; case, spaces, `-` and `_` do not matter. Of a text
 * that several columns can give (`description`, `features`), each item takes the first that is not empty.
 */
export const COLUMN_NAMES: Record<Role, readonly string[]> = {
  user: ['user', 'user_id', 'reviewerID', 'customer_id'],
  item: ['item', 'item_id', 'parent_asin', 'asin', 'movieId', 'product_id', 'ISBN'],
  time: ['time', 'timestamp', 'unixReviewTime', 'date'],
  stars: ['stars', 'rating', 'overall', 'Book-Rating'],
  title: ['title', 'name', 'item_name', 'movie_title', 'Book-Title'],
  description: ['description', 'features'],
  brand: ['brand', 'store'],
  categories: ['category', 'categories', 'genres', 'genre', 'class'],
};

/** Texts of an item, and what is put between the elements of a list. */
export const ITEM_TEXTS = { title: ' ', description: ' ', brand: ' ', categories: ', ' } as const;

/**
 * A map such as `user=customer,item=sku`. A column's name may itself hold `=` and commas (`user=a=b`); digits alone are
 * a place, from 0.
 * @throws InputError for a role that is none, or a text that is no map
 */
export function parseColumns(text: string): ColumnMap {
  const pairs = text.split(new RegExp(`,(?=(?:${ROLES.join('|')})=)`));
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, role, column] = /^([^=]*)=([^]+)$/.exec(pair) ?? [];
      if (!(ROLES as readonly string[]).includes(role!) || !column) {
        throw new InputError(
          `filter: expected columns such as user=customer,item=sku with the names ${ROLES.join(', ')}, got ${pair}`,
        );
      }
      return [role, /^\d+$/.test(column) ? Number(column) : column];
    }),
  ) as ColumnMap;
}

/** Whether a map names places, as it does for a file without a header. */
export function hasPlaces(columns: ColumnMap): boolean {
  return Object.values(columns).some((column) => typeof column === 'number');
}

/** @throws InputError for a map where the fields of a format have their own names: it would reach nobody */
export function checkNoColumns(columns: ColumnMap, path: string, format: string, mend: string): void {
  const [role] = Object.keys(columns);
  if (role === undefined) return;
  throw new InputError(`${path}: expected a table (csv, recbole, parquet) for columns such as ${role}=${columns[role as Role]!}, got ${format}; ${mend}`); // prettier-ignore
}

/** Whether a first line is a header: it has a known name of each of these roles. */
export function isHeader(cells: readonly string[], roles: readonly Role[]): boolean {
  return roles.every((role) => knownPlaces(cells, role).length > 0);
}

/**
 * Places of the columns, several where a text may come from any of them; empty for one that is neither mapped nor
 * known, or not asked for.
 * @param header names of the columns
 * @param roles to look up: one map may serve two files
 * @throws InputError if a mapped or a needed column is missing
 */
export function placesOf(
  header: readonly string[],
  columns: ColumnMap,
  roles: readonly Role[],
  needed: readonly Role[],
  where: string,
): Record<Role, readonly number[]> {
  const find = (role: Role): readonly number[] => {
    const mapped = columns[role];
    const found =
      mapped === undefined
        ? knownPlaces(header, role)
        : [typeof mapped === 'number' ? mapped : header.indexOf(mapped)].filter((at) => at >= 0 && at < header.length);
    if (found.length > 0 || (mapped === undefined && !needed.includes(role))) return found;
    throw new InputError(
      `${where}: expected a column ${mapped ?? role}, got ${header.join(', ').slice(0, 200)}; name it with --columns ${role}=NAME`,
    );
  };
  return Object.fromEntries(ROLES.map((role) => [role, roles.includes(role) ? find(role) : []])) as unknown as Record<
    Role,
    readonly number[]
  >;
}

function knownPlaces(header: readonly string[], role: Role): number[] {
  const names = header.map(normalized);
  const exact = COLUMN_NAMES[role].map((name) => header.indexOf(name));
  const alike = COLUMN_NAMES[role].map((name) => names.indexOf(normalized(name)));
  const found = exact.map((at, i) => (at >= 0 ? at : alike[i]!)).filter((at) => at >= 0);
  const places = [...new Set(found)];
  return role in ITEM_TEXTS ? places : places.slice(0, 1);
}

function normalized(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '');
}
