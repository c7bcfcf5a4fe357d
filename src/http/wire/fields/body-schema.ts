import Type, { type TObject, type TProperties, type TSchema } from 'typebox';
import type { Field, FieldValue } from './field.ts';

/** Fields by their wire name. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

/** A body: its TypeBox schema for the documentation, and its fields, which decode it. */
export interface BodySchema<F extends Fields> {
  /** Name of the schema in the OpenAPI document. */
  readonly name: string;
  readonly fields: F;
  /** Name and field, in the order in which they are checked. */
  readonly entries: readonly (readonly [string, Field<unknown>])[];
  /** Everything that is documented; fields beside it are ignored. */
  readonly schema: TObject;
}

/** What a body decodes to: every field is there, under its wire name. */
export type BodyValue<F extends Fields> = { readonly [K in keyof F]: FieldValue<F[K]> };

/** Makes a body of its fields; `ignored` are fields that clients send and nothing here reads. */
export function bodySchema<F extends Fields>(
  name: string,
  description: string,
  fields: F,
  ignored: TProperties = {},
): BodySchema<F> {
  const entries = Object.entries(fields);
  const properties: Record<string, TSchema> = {};
  for (const [key, field] of entries) {
    properties[key] = field.required ? field.schema : Type.Optional(field.schema);
    if (field.alias !== undefined) {
      properties[field.alias] = Type.Optional(Type.String({ description: `Another name for \`${key}\`.` }));
    }
  }
  const schema = Type.Object({ ...properties, ...ignored }, { description });
  return { name, fields, entries, schema };
}
