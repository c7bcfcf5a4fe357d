import { type ConfigReport, readConfig } from '../../src/config/config.ts';

/** Reads settings as a process would that has these, and these files. */
export function read(
  env: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
  openFiles = 20_000,
): ConfigReport {
  return readConfig({
    env,
    openFiles,
    readFile: (path) => {
      const content = files[path];
      if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return content;
    },
  });
}
