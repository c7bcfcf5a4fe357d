import { InvalidArgumentError, Option } from 'commander';
import { PLATFORMS } from '../../apps/platform.ts';
import { baseUrl } from '../../config/parsers.ts';

/** For the option parser: a whole number within bounds, both included. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d{1,15}$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** For the argument parser: a SIP account, as phones register for it. */
export const accountArgument = wholeNumber(100_000_000, 999_999_999);

/** For the option parser: a folder, which need not exist. */
export function folderPath(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('It must name a folder.');
}

/** For the option parser: an http(s) address; comes back ending in `/`. */
export function baseUrlOption(text: string): string {
  const parsed = baseUrl(text);
  if ('value' in parsed) return parsed.value;
  throw new InvalidArgumentError(`It ${parsed.expected}.`);
}

/** For the option parser: an http(s) address of any shape, such as that of a webhook. */
export function webAddress(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.href;
  throw new InvalidArgumentError('It must be an absolute http:// or https:// address.');
}

/** `--platform`, with its three words. */
export function platformOption(): Option {
  return new Option('--platform <platform>', "the app's platform").choices(PLATFORMS);
}

/** `--app-id`. */
export function appIdOption(): Option {
  return new Option(
    '--app-id <id>',
    'bundle id (iOS) or package name (Android), as the app registers with it',
  );
}

/** `--json`. */
export function jsonOption(): Option {
  return new Option('--json', 'print JSON, for scripts');
}
