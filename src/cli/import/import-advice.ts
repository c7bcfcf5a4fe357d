import { PROGRAM } from '../../lib/program.ts';
import type { KnownApp } from './import-apps.ts';

/** App ids that mean nothing to a shell: commands are copied. */
const PLAIN = /^[\w.-]+$/;

/** What to do next, by what the import found; one line each. */
export const importAdvice = (
  apps: Iterable<KnownApp>,
  options: { readonly apply: boolean; readonly responseLogs: boolean; readonly certDir: boolean },
): readonly string[] => {
  const { apply, responseLogs, certDir } = options;
  const absent = [...apps].filter(
    ({ key, platform, appId }) => key === undefined && platform !== undefined && PLAIN.test(appId),
  );
  const missing = absent.filter(({ platform }) => certDir || platform !== 'apns');
  const add = missing.map(({ platform, appId }) =>
    platform === 'apns'
      ? `${PROGRAM} apps add --platform apns --app-id ${appId} --apns-cert FILE (or --apns-key …)`
      : `${PROGRAM} apps add --platform ${platform} --app-id ${appId} --fcm-service-account FILE`,
  );
  const steps = [
    ...(missing.length === absent.length ? [] : ["give --cert-dir, the folder of Apple's certificates"]),
    ...add.map((command) => `add the app, with which its phones can come: ${command}`),
    ...(apply ? [] : ['do it: the same command with --apply']),
    ...(apply && add.length > 0 ? ['run this command again: it takes over the phones of those apps'] : []),
    ...(responseLogs ? [] : ['response logs stay where they are; to keep them: --response-logs FILE']),
  ];
  return steps.length === 0 ? [] : ['Next:', ...steps.map((step, index) => `  ${index + 1}. ${step}`)];
};
