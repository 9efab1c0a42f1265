/** Results and help for people. */
import type { Command } from './command.js';
import { FLAGS } from './flags.js';

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
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(4)));
  return String(value);
}

export function helpAll(commands: Record<string, Command>): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  return [
    'usage: sidlab COMMAND [FLAGS]',
    '',
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'sidlab COMMAND --help names its flags.',
  ].join('\n');
}

export function helpOne(name: string, { summary, flags, words, needs = [] }: Command): string {
  const all = [...flags, 'json', 'help'] as const;
  const width = Math.max(...all.map((flag) => flag.length));
  return [
    `sidlab ${name}${words ? ` ${words}` : ''}: ${summary}`,
    '',
    ...all.map((flag) => {
      const needed = (needs as readonly string[]).includes(flag) ? ' (needed)' : '';
      return `  --${flag.padEnd(width)}  ${FLAGS[flag].help}${needed}`;
    }),
  ].join('\n');
}
