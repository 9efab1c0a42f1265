/** From words on a command line to checked options. */
import { asFlag, flagsOf, parseFlags } from '../options/flags.js';
import { boolean } from '../options/kinds.js';
import type { Option } from '../options/option.js';
import { allOptions, parseOptions } from '../options/schema.js';
import { InputError } from '../support/errors.js';
import type { Command } from './command.js';
import { COMMANDS } from './commands.js';

/** Flags of every command. */
const EVERYWHERE = { json: boolean('one JSON object on standard output'), help: boolean('this text') };

/**
 * A command's line as checked options. Nothing is loaded for it, nothing written.
 * @throws InputError for a flag or word that is unknown, or a value out of range
 */
export function readCommandLine(
  name: string,
  { schema, extra = {}, word, moreExact = () => [] }: Command,
  args: string[],
) {
  const options = { ...allOptions(schema), ...extra, ...EVERYWHERE };
  const { values, words } = parseFlags(name, args, options, { owners: (flag) => owners(flag, name), moreExact });
  const { json, help: _, ...given } = values;
  if (word && words.length > 0) given[word] = takesAll(schema.options[word]!) ? words.splice(0) : words.shift();
  if (words.length > 0) throw new InputError(`${name}: unexpected ${words[0]}; sidlab ${name} --help lists its flags`);
  const own = Object.fromEntries(Object.entries(given).filter(([key]) => Object.hasOwn(extra, key)));
  const rest = Object.fromEntries(Object.entries(given).filter(([key]) => !Object.hasOwn(extra, key)));
  parseOptions({ name, options: extra, rules: [] }, own, asFlag);
  parseOptions({ ...schema, name }, rest, (option) => (option === word ? option.toUpperCase() : asFlag(option)));
  return { values: rest, extra: own, json: json === true };
}

/** Whether an option is a list: all words of the line are its elements. */
function takesAll({ schema }: Option): boolean {
  return schema.type === 'array';
}

/** Commands that have a flag. */
function owners(flag: string, but: string): string[] {
  return Object.entries(COMMANDS)
    .filter(([name, { schema, extra = {} }]) => name !== but && flagsOf({ ...allOptions(schema), ...extra }).has(flag))
    .map(([name]) => name);
}
