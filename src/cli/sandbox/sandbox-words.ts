import { join } from 'node:path';
import { PROGRAM } from '../../lib/program.ts';
import { oneLine } from '../kit/text-table.ts';

/** Characters of a payload that are shown: a push has 5 KiB at most. */
const MOST_SHOWN = 6_000;

/** Enough of a push token to tell it from others. */
export function shortToken(token: string): string {
  return token.length <= 8 ? oneLine(token) : `${oneLine(token.slice(0, 8))}…`;
}

/** A payload in one line, with nothing that steers a terminal. */
export function shownPayload(payload: Readonly<Record<string, unknown>>): string {
  return oneLine(JSON.stringify(payload).slice(0, MOST_SHOWN));
}

/** A word as a shell and a settings file read it. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${oneLine(text).replaceAll("'", `'\\''`)}'`;
}

/** How a person answers a call in the place of the app; nothing for a push that is no call. */
export function howToAnswer(payload: Readonly<Record<string, unknown>>): readonly string[] {
  const { unique_key: key, response_api: address, message_start_time: start } = payload;
  if (typeof key !== 'string' || typeof address !== 'string') return [];
  const fields = [`unique_key=${key}`, `message_start_time=${String(start)}`, 'available=true'];
  const words = fields.map((field) => `-d ${shellWord(field)}`).join(' ');
  return [`to answer: curl -i ${words} ${shellWord(address)}`];
}

/** What a person does next. */
export function howToTry(of: {
  readonly folder: string;
  readonly apps: { readonly apns: string; readonly android: string };
  /** Milliseconds that a call waits for a person; undefined: the sandbox's phones answer. */
  readonly personWaitMs: number | undefined;
}): readonly string[] {
  const { apps, personWaitMs } = of;
  // One push for each call: a person needs one command to answer it.
  const once = personWaitMs === undefined ? '' : ' -d push_profile=once';
  const settings = shellWord(join(of.folder, 'sandbox.env'));
  const register = (path: string, app: string, token: string) =>
    `  curl -i -u 123456789:any -d sip_user_id=123456789 -d app=${app} -d token=${token}${once} http://127.0.0.1:8080/api/${path}/`;
  return [
    'Any account of nine digits works: log in as it (123456789, or 123456789@example.com) with any password.',
    ...(personWaitMs === undefined
      ? ['Every push token is a phone. Its app starts when a push arrives; --phone says what it does then.']
      : [
          'No phone answers (--no-phone): your app does, or you with the command that each push brings.',
          `A call waits ${personWaitMs / 1_000} s for the answer, which gets 404 after that: APP_PUSH_ROUNDTRIP_WAIT, whose default is 4000.`,
        ]),
    'Push tokens are 64 to 200 hex digits for apns, and any text without spaces for android.',
    'Certificate and credentials are new at each start: restart a service that runs with those of an earlier one.',
    `1. In another shell, start the service: ${PROGRAM} --env-file ${settings} serve`,
    '2. In a third one, register a phone,',
    register('android-device', apps.android, 'any-token'),
    '   or an iPhone (with -d sandbox=true for the sandbox environment of Apple),',
    register('apns-device', apps.apns, 'a1'.repeat(32)),
    '3. and call it:',
    '  curl -i -d sip_user_id=123456789 -d phonenumber=0201234567 http://127.0.0.1:8080/api/incoming-call/',
    'Stop the sandbox with Ctrl-C.',
  ];
}
