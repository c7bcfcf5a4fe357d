import type { Static, TSchema } from 'typebox';
import type { BodySource } from '../body/raw-fields.ts';
import type { Decoded, Decoder } from './decoded.ts';

/** One field of a body: what is documented (`schema`) and what is understood (`decode`), in one place. */
export interface Field<T> {
  /** The canonical form on the wire; more spellings are accepted, as `decode` says. */
  readonly schema: TSchema;
  readonly required: boolean;
  /** A second name under which clients in the field send it; read where the first is not sent. */
  readonly alias: string | undefined;
  /** `value` is what was sent; undefined where nothing was. */
  decode(value: unknown, source: BodySource): Decoded<T>;
}

/** The value that a field decodes to. */
export type FieldValue<F> = F extends Field<infer T> ? T : never;

/** Decides whether a value that was sent counts as not sent. */
export type BlankRule = (value: unknown, source: BodySource) => boolean;

const MISSING: Decoded<never> = { ok: false, problem: 'is required' };
const IS_NULL: Decoded<never> = { ok: false, problem: 'must not be null' };

/** A field that must be sent. */
export function requiredField<S extends TSchema>(schema: S, decode: Decoder<Static<S>>): Field<Static<S>> {
  return {
    schema,
    required: true,
    alias: undefined,
    decode(value) {
      if (value === undefined) return MISSING;
      return value === null ? IS_NULL : decode(value);
    },
  };
}

/** A field that need not be sent: `absent` stands for it then, and where `isBlank` says so. JSON's null is refused. */
export function optionalField<S extends TSchema, A>(
  schema: S,
  decode: Decoder<Static<S>>,
  options: { readonly absent: A; readonly isBlank: BlankRule; readonly alias?: string },
): Field<Static<S> | A> {
  const absent: Decoded<A> = { ok: true, value: options.absent };
  const { isBlank } = options;
  return {
    schema,
    required: false,
    alias: options.alias,
    decode(value, source) {
      if (value === undefined) return absent;
      if (value === null) return IS_NULL;
      return isBlank(value, source) ? absent : decode(value);
    },
  };
}

/** A field of which anything is accepted, nothing included: `decode` says what stands for what cannot be used. */
export function lenientField<T>(schema: TSchema, decode: Decoder<T>): Field<T> {
  return { schema, required: false, alias: undefined, decode: (value) => decode(value) };
}
