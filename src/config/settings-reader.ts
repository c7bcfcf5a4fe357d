import { errorCode } from '../lib/error-code.ts';
import { withoutByteOrder } from '../lib/pem-blocks.ts';

/** Where settings come from; passed in, so that reading them stays pure. */
export interface SettingsSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a `…_FILE`; throws as `node:fs` does. */
  readonly readFile: (path: string) => string;
  /** Whether every user of the machine may read or write the file; false where there is none. Left out: nobody is asked. */
  readonly isOpenToAll?: (path: string) => boolean;
}

/** One setting as it was found, for `config check` and the documentation test. */
export interface FoundSetting {
  readonly name: string;
  readonly value: string;
  readonly from: 'default' | 'environment' | 'file';
  readonly secret: boolean;
}

/** A variable that was found, by the name it was found under. */
export interface SharedVariable {
  readonly name: string;
  readonly text: string;
}

/** A check that turns the text of a setting into its value, or says what was expected instead. */
export type Parse<T> = (text: string) => { readonly value: T } | { readonly expected: string };

/**
 * Reads settings one by one and collects every problem instead of stopping at the first, so that a person sees all
 * of them at once. An empty value counts as not set: that is what compose files and unit files produce.
 */
export class SettingsReader {
  readonly problems: string[] = [];
  readonly found: FoundSetting[] = [];
  /** Names of the settings that may also come from a file. */
  readonly secrets: string[] = [];
  readonly #source: SettingsSource;

  constructor(source: SettingsSource) {
    this.#source = source;
  }

  /** A setting with a default, written as a person would write it; throws where the default fails its own check. */
  read<T>(name: string, fallback: string, parse: Parse<T>): T {
    return (
      this.#parse(name, this.#lookUp(name, fallback, false), parse) ?? checkedDefault(name, fallback, parse)
    );
  }

  /** A setting that may be absent; `inForce`: what then applies, to be shown. */
  readOptional<T>(name: string, parse: Parse<T>, inForce = ''): T | undefined {
    const text = this.#lookUp(name, inForce, false);
    return this.isSet(name) ? this.#parse(name, text, parse) : undefined;
  }

  /** A secret that may be absent: `NAME` or the content of the file `NAME_FILE`, never shown. */
  readSecret<T>(name: string, parse: Parse<T>): T | undefined {
    return this.#parse(name, this.#lookUp(name, '', true), parse);
  }

  /** Like `readSecret`, with a default (an address that may hold a password). */
  readSecretOr<T>(name: string, fallback: string, parse: Parse<T>): T {
    return (
      this.#parse(name, this.#lookUp(name, fallback, true), parse) ?? checkedDefault(name, fallback, parse)
    );
  }

  /** The content of the file that an optional setting names; undefined where it is not set or cannot be read. */
  readContent<T>(name: string, parse: Parse<T>): T | undefined {
    const path = this.#lookUp(name, '', false);
    if (path === undefined || path === '') return undefined;
    try {
      return this.#parse(name, this.#source.readFile(path), parse);
    } catch (error) {
      const code = errorCode(error) ?? 'unreadable';
      this.problem(`${name} names ${path}, which cannot be read (${code})`);
      return undefined;
    }
  }

  /**
   * A variable that other programs read too: the first of its names that is set; undefined where none is. It is shown under
   * its last name then.
   */
  readShared(names: readonly [string, ...string[]], secret: boolean): SharedVariable | undefined {
    const textOf = (name: string): string => this.#source.env[name]?.trim() ?? '';
    const name = names.find((each) => textOf(each) !== '');
    if (name === undefined) {
      this.#note(names.at(-1) ?? names[0], '', 'default', false);
      return undefined;
    }
    return { name, text: this.#note(name, textOf(name), 'environment', secret) };
  }

  /** Whether the setting was given, directly or as a file. */
  isSet(name: string): boolean {
    return [name, `${name}_FILE`].some((each) => (this.#source.env[each]?.trim() ?? '') !== '');
  }

  /** The content of a file that a setting's value names; throws as `node:fs` does. */
  fileText(path: string): string {
    return this.#source.readFile(path);
  }

  /** Adds a problem of its own: one line that names the setting. */
  problem(text: string): void {
    this.problems.push(text);
  }

  #parse<T>(name: string, text: string | undefined, parse: Parse<T>): T | undefined {
    if (text === undefined || text === '') return undefined;
    const result = parse(text);
    if ('value' in result) return result.value;
    const quotes = /^(["']).*\1$/s.test(text) ? '; leave out the quotes around it' : '';
    this.problem(`${name} ${result.expected}${quotes}`);
    return undefined;
  }

  #lookUp(name: string, fallback: string, secret: boolean): string | undefined {
    if (secret) this.secrets.push(name);
    const direct = this.#source.env[name]?.trim() ?? '';
    const path = this.#source.env[`${name}_FILE`]?.trim() ?? '';
    if (direct !== '' && secret && path !== '') {
      this.problem(`${name} and ${name}_FILE are both set; set one of them`);
      return undefined;
    }
    if (direct !== '') return this.#note(name, direct, 'environment', secret);
    if (secret && path !== '') return this.#readFile(name, path);
    return this.#note(name, fallback, 'default', secret && fallback === '');
  }

  #readFile(name: string, path: string): string | undefined {
    try {
      const value = withoutByteOrder(this.#source.readFile(path)).trim();
      if (value !== '') return this.#note(name, value, 'file', true);
      // A secret that was meant to be there must not be silently none.
      this.problem(`${name}_FILE names ${path}, which is empty`);
    } catch (error) {
      const code = errorCode(error) ?? 'unreadable';
      this.problem(`${name}_FILE names ${path}, which cannot be read (${code})`);
    }
    return undefined;
  }

  #note(name: string, value: string, from: FoundSetting['from'], secret: boolean): string {
    this.found.push({ name, value, from, secret });
    return value;
  }
}

function checkedDefault<T>(name: string, fallback: string, parse: Parse<T>): T {
  const result = parse(fallback);
  if ('value' in result) return result.value;
  throw new Error(`the default of ${name} ${result.expected}`);
}
