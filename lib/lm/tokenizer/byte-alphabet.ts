/**
 * GPT-2's byte alphabet: every byte as a visible character, so that a vocabulary of texts can spell any bytes. Bytes
 * that print represent themselves (`!` to `~`, `¡` to `¬`, `®` to `ÿ`), the others for the characters from U+0100 on.
 */

/** The character of each byte; index = byte. */
export const BYTE_CHARACTERS: readonly string[] = byteCharacters();

function byteCharacters(): string[] {
  const prints = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(prints(byte) ? byte : next++));
}

/** What GPT-2 merges within: words with the space before them, numbers, other marks, white space. */
export const GPT2_PIECES = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
