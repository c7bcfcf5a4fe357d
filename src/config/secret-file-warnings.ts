import type { SettingsSource } from './settings-reader.ts';

const SQLITE = /^sqlite:/i;

/** Doubts about who may read files with secrets, for `settingWarnings`; `secrets`: settings that may come from a file. */
export function secretFileWarnings(
  { env, isOpenToAll }: SettingsSource,
  secrets: readonly string[],
  databaseUrl: string,
): readonly string[] {
  const files = [...secrets.map((name) => `${name}_FILE`), 'TLS_KEY_FILE'].map(
    (name) => [name, env[name]?.trim() ?? ''] as const,
  );
  if (SQLITE.test(databaseUrl)) files.push(['DATABASE_URL', databaseUrl.replace(SQLITE, '')]);
  return files
    .filter(([, path]) => path !== '' && isOpenToAll?.(path) === true)
    .map(
      ([name, path]) =>
        `${name} names ${path}, which every user of this machine may read; chmod o-rwx ${path}`,
    );
}
