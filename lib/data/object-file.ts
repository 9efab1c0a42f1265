/** Files that are one JSON object, read member by member. */
import type { Encoding } from '../files/encoding.js';
import { readUtf8 } from '../files/whole-file.js';
import { InputError } from '../support/errors.js';
import { jsonMembers, type Member } from './raw/json-text.js';

/**
 * @param mend what the message says where the file is missing
 * @param encoding default UTF-8 or UTF-16, detected
 * @throws InputError for a file that is missing, or is no JSON object: file, line and mend
 */
export function* readMembers(path: string, mend?: string, encoding?: Encoding): Generator<Member> {
  const bytes = readUtf8(path, mend, encoding);
  try {
    yield* jsonMembers(bytes);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`${path}: not valid JSON (${error.message}); fetch it again or write it anew`);
  }
}
