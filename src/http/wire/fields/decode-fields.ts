import type { RawFields } from '../body/raw-fields.ts';
import type { BodySchema, BodyValue, Fields } from './body-schema.ts';
import type { Decoded } from './decoded.ts';
import type { Field } from './field.ts';

/** A whole body, or the first field that is wrong with it; `problem` continues a sentence that starts with `field`. */
export type DecodedBody<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly field: string; readonly problem: string };

/**
 * Decodes what was sent for a body, in the order of its fields up to the first problem; unknown fields are ignored.
 * The one cast is sound: `entries` are exactly the entries of `F`, and each name gets its own field's value.
 */
export function decodeFields<F extends Fields>(
  body: BodySchema<F>,
  raw: RawFields,
): DecodedBody<BodyValue<F>> {
  const value: Record<string, unknown> = {};
  for (const [name, field] of body.entries) {
    const decoded = decodeField(name, field, raw);
    if (!decoded.ok) return { ok: false, field: name, problem: decoded.problem };
    value[name] = decoded.value;
  }
  return { ok: true, value: value as BodyValue<F> };
}

function decodeField(name: string, field: Field<unknown>, raw: RawFields): Decoded<unknown> {
  const sent = raw.get(name);
  if (sent !== undefined || field.alias === undefined) return field.decode(sent, raw.source);
  return field.decode(raw.get(field.alias), raw.source);
}
