import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processSource } from '../config/config.ts';
import { readProxySettings } from '../config/proxy-settings.ts';
import { SettingsReader } from '../config/settings-reader.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { createPhone } from '../sandbox/phone.ts';
import type { PhoneKind } from '../sandbox/phone-app.ts';
import type { PushSource } from '../sandbox/push-log.ts';
import { startWorld, type World } from '../sandbox/world.ts';
import { type CommandContext, tellDatabase } from './command-context.ts';
import { addSandboxApps, SANDBOX_APPS } from './sandbox-apps.ts';

/** The user that the sandbox's platform knows. */
const USER = { account: 123_456_789, user: 'user@example.com', password: 'sandbox', token: 'sandbox-token' };

/** The work of `sandbox`. */
export async function runSandbox(context: CommandContext, folder: string): Promise<void> {
  await makeFolder(folder);
  const world = await startWorld();
  try {
    const caFile = join(folder, 'ca.pem');
    const databaseUrl = `sqlite:${join(folder, 'sandbox.db')}`;
    await writeFile(caFile, world.ca.certificate);
    tellDatabase(context, { databaseUrl }, 'will be created');
    await addSandboxApps(databaseUrl, world);
    const { token } = world.platform.addUser(USER);
    const settings = {
      NODE_EXTRA_CA_CERTS: caFile,
      ...world.settings,
      ACCOUNT_AUTH: 'voipgrid',
      DATABASE_URL: databaseUrl,
      ...aroundProxies(world),
    };
    for (const [name, value] of Object.entries(settings)) context.out(`export ${name}=${value}`);
    for (const line of howToTry(token)) context.out(`# ${line}`);
    answerAll(context, 'ios', world.apple);
    answerAll(context, 'ios', world.appleSandbox);
    answerAll(context, 'android', world.google);
    await stopSignal();
  } finally {
    await world.close();
  }
}

/**
 * Where this shell's variables name a forward proxy, which does not reach our loopback: a no_proxy for the stand-ins. In
 * lower case, because that wins over NO_PROXY.
 */
function aroundProxies({ settings }: World): { readonly no_proxy?: string } {
  const { env } = processSource();
  const reader = new SettingsReader(processSource());
  const { proxies } = readProxySettings(reader, settings.VG_API_BASE_URL);
  const routes = [
    proxies.push(new URL(settings.APNS_URL)),
    proxies.push(new URL(settings.FCM_URL)),
    proxies.accounts(new URL(settings.VG_API_BASE_URL)),
  ];
  if (routes.every(({ proxy }) => proxy === undefined)) return {};
  const before = (env['no_proxy'] ?? env['NO_PROXY'] ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  return { no_proxy: [...before, 'localhost', '127.0.0.1'].join(',') };
}

function howToTry(authorization: string): readonly string[] {
  const account = USER.account;
  return [
    `Any push token of the apps ${SANDBOX_APPS.apns} (apns) and ${SANDBOX_APPS.android} (android) is a phone that answers.`,
    'In another shell: paste the lines above, run "vialer-middleware serve", then register a phone and call it:',
    `  curl -H 'Authorization: ${authorization}' -d sip_user_id=${account} -d token=any-token -d app=${SANDBOX_APPS.android} http://127.0.0.1:8080/api/android-device/`,
    `  curl -d sip_user_id=${account} -d phonenumber=0201234567 http://127.0.0.1:8080/api/incoming-call/`,
    'Stop the sandbox with Ctrl-C.',
  ];
}

/** Lets every push token behave as a phone whose app starts, registers with SIP and answers. */
function answerAll(context: CommandContext, kind: PhoneKind, source: PushSource): void {
  const phone = createPhone({
    kind,
    account: USER.account,
    token: '',
    app: SANDBOX_APPS.apns,
    server: '',
    authorization: '',
    wakeUpMs: 600,
    onStep: (step) => {
      if (step.kind === 'push-received') context.out(`# ${kind}: a push arrives; the app starts`);
      if (step.kind === 'answered') context.out(`# ${kind}: the app answered and was told ${step.status}`);
      if (step.kind === 'answer-failed') context.out(`# ${kind}: the app could not answer`);
    },
  });
  phone.listen({ ...source, onPush: (_token, handler) => source.onAnyPush(handler) });
}

function stopSignal(): Promise<void> {
  return new Promise((resolveSignal) => {
    // Signals do not keep a process alive; the stand-ins' listeners do.
    process.once('SIGINT', () => resolveSignal());
    process.once('SIGTERM', () => resolveSignal());
  });
}
