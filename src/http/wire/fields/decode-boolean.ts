import { accept, type Decoded, refuse } from './decoded.ts';

/** Django REST framework 3.6.4, `BooleanField.TRUE_VALUES` and `FALSE_VALUES`: `Yes` and `No` are not in them. */
const WORDS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...[true, 1, 't', 'T', 'y', 'Y', 'yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON', '1'].map(
    meaning(true),
  ),
  ...[false, 0, 'f', 'F', 'n', 'N', 'no', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF', '0'].map(
    meaning(false),
  ),
]);

function meaning(value: boolean): (word: unknown) => [unknown, boolean] {
  return (word) => [word, value];
}

/** True or false by the words above, exactly as written: nothing is trimmed, no letter changed. */
export function decodeBoolean(value: unknown): Decoded<boolean> {
  const meant = WORDS.get(value);
  return meant === undefined ? refuse('must be true or false') : accept(meant);
}
