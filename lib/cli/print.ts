/** A result for people. */

/** The fields of an object, one a line; nested ones indented. */
export function record(value: unknown, indent = ''): string {
  return Object.entries(value as object)
    .map(([key, field]) => {
      const nested = typeof field === 'object' && field !== null && !Array.isArray(field);
      return nested ? `${indent}${key}:\n${record(field, indent + '  ')}` : `${indent}${key}: ${plain(field)}`;
    })
    .join('\n');
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(plain).join(', ');
  if (typeof value === 'object' && value !== null) return inline(value);
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(4)));
  return String(value);
}

/** An object within a list, on the line of the list: `(name far, flag --index FILE)`. */
function inline(value: object): string {
  const fields = Object.entries(value).map(([key, field]) => `${key} ${plain(field)}`);
  return `(${fields.join(', ')})`;
}
