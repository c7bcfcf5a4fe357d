/** How a body spelled its values: JSON has types; a form, a multipart form and a query string have only text. */
export type BodySource = 'json' | 'form';

/** The fields of one request as they were sent, whatever the body looked like. Only what was sent is ever found. */
export interface RawFields {
  readonly source: BodySource;
  /** The value of a field, of any type; undefined where it was not sent. */
  get(name: string): unknown;
  /** All fields, for a report whose names we do not know. */
  toMap(): ReadonlyMap<string, unknown>;
}

/** Most fields a form may have, the bound that Django sets; more make the body malformed. */
export const MAX_FIELDS = 1000;

/** The fields of a JSON object. Reads own properties only, so `__proto__` and `constructor` are names like others. */
export class JsonFields implements RawFields {
  readonly source = 'json';
  readonly #object: Readonly<Record<string, unknown>>;

  constructor(object: Readonly<Record<string, unknown>>) {
    this.#object = object;
  }

  get(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
  }

  toMap(): ReadonlyMap<string, unknown> {
    return new Map(Object.entries(this.#object));
  }
}

/** The fields of a form: text by name. */
export class FormFields implements RawFields {
  readonly source = 'form';
  readonly #texts: ReadonlyMap<string, string>;

  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts;
  }

  get(name: string): unknown {
    return this.#texts.get(name);
  }

  toMap(): ReadonlyMap<string, unknown> {
    return this.#texts;
  }
}

/** A request without a body. */
export const NO_FIELDS: RawFields = new FormFields(new Map());
