/**
 * What became of one value. `problem` continues a sentence that starts with the field's name ("… must be a whole
 * number"), and never repeats the value.
 */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

/** Makes a value of what was sent for a field. Pure; the field was sent, so `value` is not undefined. */
export type Decoder<T> = (value: unknown) => Decoded<T>;

/** A value that is fine. */
export function accept<T>(value: T): Decoded<T> {
  return { ok: true, value };
}

/** A value that is not. */
export function refuse(problem: string): Decoded<never> {
  return { ok: false, problem };
}
