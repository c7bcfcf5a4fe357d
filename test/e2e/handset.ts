import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../harness/until.ts';
import { createPhone, type PhoneStep } from '../../src/sandbox/phone.ts';
import type { PhoneKind } from '../../src/sandbox/phone-app.ts';
import type { DeliveredPush, PushSource } from '../../src/sandbox/push-log.ts';
import { type SoftPhone, startSoftPhone } from './soft-phone.ts';

/** What the app does when a push wakes it. */
export type Manner =
  /** Starts, registers with SIP, says that it is ready. */
  | 'takes'
  /** Says that it is ready before it has registered. */
  | 'takes-hastily'
  /** As `takes`, but while it rings the phone leaves its network, and registers from another address. */
  | 'moves'
  /** Says that it cannot take the call; starts no SIP. */
  | 'declines'
  | 'sleeps-on';

/** A phone to be. */
export interface HandsetOptions {
  readonly kind: PhoneKind;
  readonly account: number;
  readonly password: string;
  readonly token: string;
  readonly app: string;
  readonly manner: Manner;
  /** Base URL of the service. */
  readonly server: string;
  readonly source: PushSource;
  /** An address in the network that the phone is in now. */
  readonly nextAddress: () => string;
  readonly proxy: string;
  readonly folder: string;
  /** Milliseconds from the push to the running app. */
  readonly launchMs: number;
}

/** What happened on a handset, in milliseconds since the epoch. */
export interface HandsetDiary {
  readonly pushes: number[];
  /** Who called, as the pushes said it. */
  readonly callers: { readonly name: unknown; readonly number: unknown }[];
  /** When the app gave its answers. */
  readonly answeredAt: number[];
  /** What the service said to them. */
  readonly statuses: number[];
  readonly errors: unknown[];
}

/** A simulated telephone: an app that pushes wake, with a SIP user agent of its own. */
export interface Handset {
  readonly account: number;
  /** The push token. */
  readonly token: string;
  readonly diary: HandsetDiary;
  /** The SIP user agent that runs now; undefined while the app sleeps. */
  softPhone(): SoftPhone | undefined;
  /** Starts the app without a push, and resolves once it has registered with SIP. */
  openApp(): Promise<SoftPhone>;
  close(): Promise<void>;
}

/** Makes a handset and registers it with the service; from now on pushes reach it. */
export async function startHandset(options: HandsetOptions): Promise<Handset> {
  const { account, source, token, kind, manner } = options;
  const diary: HandsetDiary = {
    pushes: [],
    callers: [],
    answeredAt: [],
    statuses: [],
    errors: [],
  };
  const noted = new Set<string>();
  const starting: Promise<SoftPhone>[] = [];
  let softPhone: SoftPhone | undefined;
  const working: Promise<void>[] = [];

  const phone = createPhone({
    kind,
    account,
    token,
    app: options.app,
    server: options.server,
    authorization: 'Token e2e',
    silent: true,
    onStep: (step) => onStep(step),
  });
  const openApp = async (takesCalls = true): Promise<SoftPhone> => {
    const start = startSoftPhone({ ...options, address: options.nextAddress(), takesCalls });
    starting.push(start);
    softPhone = await start;
    await softPhone.registered;
    return softPhone;
  };
  const answer = async (push: DeliveredPush, available: boolean): Promise<void> => {
    diary.answeredAt.push(Date.now());
    const { status } = await phone.answer(push, { available });
    diary.statuses.push(status);
  };
  const wakeUp = async (push: DeliveredPush): Promise<void> => {
    if (manner === 'sleeps-on') return;
    await delay(options.launchMs);
    if (manner === 'declines') return answer(push, false);
    if (manner === 'takes-hastily') await answer(push, true);
    const ringing = await openApp(manner !== 'moves');
    if (manner !== 'takes-hastily') await answer(push, true);
    if (manner !== 'moves') return;
    await until(() => ringing.rang() > 0, `the phone of ${account} rings`);
    await ringing.kill();
    await openApp();
  };
  const onStep = (step: PhoneStep): void => {
    if (step.kind === 'crashed') diary.errors.push(new Error(`the app crashed on ${step.field}`));
    if (step.kind !== 'push-received') return;
    const { payload } = step.push;
    diary.pushes.push(Date.now());
    diary.callers.push({ name: payload['caller_id'], number: payload['phonenumber'] });
    const key = String(payload['unique_key']);
    if (noted.has(key)) return;
    noted.add(key);
    working.push(wakeUp(step.push).catch((error: unknown) => void diary.errors.push(error)));
  };

  phone.listen(source);
  const { status } = await phone.register();
  if (status !== 201) throw new Error(`the phone of ${account} could not register: HTTP ${status}`);
  return {
    account,
    token,
    diary,
    softPhone: () => softPhone,
    openApp: () => openApp(),
    close: async () => {
      phone.close();
      await Promise.all(working);
      for (const start of starting) await (await start).kill();
    },
  };
}
