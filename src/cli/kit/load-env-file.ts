import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { errorCode } from '../../lib/error-code.ts';
import { type CommandContext, CommandFailed } from './command-context.ts';

/**
 * Puts the variables of a file into the environment, as Node's own `--env-file` does: what is set there already takes
 * precedence. Authorities of NODE_EXTRA_CA_CERTS are trusted in addition; other variables that Node reads at its start
 * (NODE_OPTIONS) come too late.
 */
export async function loadEnvFile({ err }: Pick<CommandContext, 'err'>, path: string): Promise<void> {
  const text = attempt('--env-file', path, () => readFileSync(path, 'utf8'));
  for (const line of linesWithoutValue(text))
    err(`Warning: line ${line} of ${path} has no "=" and is skipped.`);
  const found = parseEnv(text);
  for (const [name, value] of Object.entries(found)) process.env[name] ??= value;
  const authorities = found['NODE_EXTRA_CA_CERTS'] ?? '';
  if (authorities === '') return;
  const pem = attempt('NODE_EXTRA_CA_CERTS', authorities, () => readFileSync(authorities, 'utf8'));
  // Loaded only here: most commands need no TLS.
  const { default: tls } = await import('node:tls');
  const usual = tls.getCACertificates('default');
  attempt('NODE_EXTRA_CA_CERTS', authorities, () => tls.setDefaultCACertificates([...usual, pem]));
}

/** A value that begins with a quotation mark may take several lines. */
const QUOTED = /(=[ \t]*)(["'`])[\s\S]*?\2/g;

/** Numbers of the lines that `parseEnv` skips without a word. */
function linesWithoutValue(text: string): readonly number[] {
  const lines = text
    .replace(QUOTED, (whole, sign: string) => sign + whole.replace(/[^\n]/g, '').replaceAll('\n', '\n#'))
    .split('\n');
  return lines.flatMap((line, index) => (/^\s*[^#\s=][^=]*$/.test(line) ? [index + 1] : []));
}

function attempt<T>(setting: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = errorCode(error) ?? 'unreadable';
    throw new CommandFailed(`${setting} names ${path}, which cannot be used (${code}).`, 2, { cause: error });
  }
}
