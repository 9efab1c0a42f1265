/** Which column of a table is what: `user=customer,item=sku,time=bought_at`. */
import { InputError } from '../../support/errors.js';

export const ROLES = ['user', 'item', 'time', 'stars', 'title', 'description', 'brand', 'categories'] as const;
export type Role = (typeof ROLES)[number];

/** A column's name, or its place from 0 in a file without a header. */
export type ColumnMap = Partial<Record<Role, string | number>>;

/** Names that need no map, in the order in which they are looked for. */
const KNOWN: Record<Role, readonly string[]> = {
  user: ['user', 'user_id', 'userId', 'reviewerID', 'customer_id'],
  item: ['item', 'item_id', 'itemId', 'parent_asin', 'asin', 'movieId', 'product_id'],
  time: ['time', 'timestamp', 'unixReviewTime', 'date'],
  stars: ['stars', 'rating', 'overall'],
  title: ['title', 'name', 'item_name', 'movie_title'],
  description: ['description'],
  brand: ['brand', 'store'],
  categories: ['categories', 'category', 'genres', 'genre', 'class'],
};

/** @throws InputError for a role that is none, or a text that is no map */
export function parseColumns(text: string): ColumnMap {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [role, column, ...more] = pair.split('=');
      if (!(ROLES as readonly string[]).includes(role!) || !column || more.length > 0) {
        throw new InputError(
          `filter: expected columns such as user=customer,item=sku with the names ${ROLES.join(', ')}, got ${pair}`,
        );
      }
      return [role, /^\d+$/.test(column) ? Number(column) : column];
    }),
  ) as ColumnMap;
}

/**
 * Places of the columns; -1 for one that is neither mapped nor known, or not asked for.
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
): Record<Role, number> {
  const place = (role: Role): number => {
    const mapped = columns[role];
    const found =
      typeof mapped === 'number'
        ? mapped
        : (mapped === undefined ? KNOWN[role] : [mapped]).map((name) => header.indexOf(name)).find((at) => at >= 0);
    if (found !== undefined && found < header.length) return found;
    if (mapped === undefined && !needed.includes(role)) return -1;
    throw new InputError(
      `${where}: expected a column ${mapped ?? role}, got ${header.join(', ')}; name it with --columns ${role}=NAME`,
    );
  };
  return Object.fromEntries(ROLES.map((role) => [role, roles.includes(role) ? place(role) : -1])) as Record<
    Role,
    number
  >;
}
