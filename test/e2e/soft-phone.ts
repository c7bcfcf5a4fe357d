import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../../harness/until.ts';
import { startChild } from './child.ts';
import { SIP_DOMAIN } from './kamailio.ts';
import { SIP_PORT } from './network.ts';

/** Whose phone it is and where it is. */
export interface SoftPhoneOptions {
  readonly account: number;
  readonly password: string;
  readonly address: string;
  /** The address of the registrar. */
  readonly proxy: string;
  /** Whether its user takes calls; else it rings until they end. */
  readonly takesCalls: boolean;
  /** Where its folder goes. */
  readonly folder: string;
}

/** A SIP user agent, baresip, that plays back what it hears. */
export interface SoftPhone {
  readonly address: string;
  /** Resolves once the registrar has said 200; rejects when baresip ends instead. */
  readonly registered: Promise<void>;
  /** Calls that rang. */
  rang(): number;
  /** Calls that stood, and of these how many are over. */
  established(): number;
  over(): number;
  /** Unregisters and ends. */
  close(): Promise<void>;
  /** Ends at once; its binding stays. */
  kill(): Promise<void>;
  output(): string;
}

/** It ends by itself after this, whatever happened to the suite. */
const LIMIT_S = 120;
/** How long its user lets it ring, and the key for taking a call. */
const RING_MS = 150;
const ACCEPT = 'a';
const MODULES = '/usr/lib/baresip/modules';

/** Starts baresip. */
export async function startSoftPhone(options: SoftPhoneOptions): Promise<SoftPhone> {
  const own = await mkdtemp(join(options.folder, 'phone-'));
  await writeFile(join(own, 'config'), configFor(options));
  await writeFile(join(own, 'accounts'), accountFor(options));
  await writeFile(join(own, 'contacts'), '');
  const baresip = startChild('baresip', ['-f', own, '-t', String(LIMIT_S)], { cwd: own });
  const count = (pattern: RegExp) => baresip.output().match(pattern)?.length ?? 0;
  const isRegistered = () => {
    if (!baresip.runs()) throw new Error(`baresip ended:\n${baresip.output()}`);
    return count(/200 OK \(.*\) \[\d+ bindings?\]/g) > 0;
  };
  const registered = until(isRegistered, `${options.account} is registered with SIP`);
  // Whoever does not wait for it sees in the call that it failed.
  registered.catch(() => {});
  const rang = () => count(/Incoming call from/g);
  let takenUp = 0;
  baresip.onOutput(() => {
    if (!options.takesCalls || rang() <= takenUp) return;
    takenUp = rang();
    setTimeout(() => baresip.type(ACCEPT), RING_MS);
  });
  return {
    address: options.address,
    registered,
    rang,
    established: () => count(/Call established/g),
    over: () => count(/session closed/g),
    close: () => baresip.end('SIGTERM'),
    kill: () => baresip.end('SIGKILL'),
    output: baresip.output,
  };
}

function configFor({ address }: SoftPhoneOptions): string {
  return [
    'poll_method epoll',
    `sip_listen ${address}:${SIP_PORT}`,
    'sip_trans_def udp',
    'audio_player aubridge,loop',
    'audio_source aubridge,loop',
    'audio_alert aubridge,loop',
    'rtp_ports 20000-40000',
    'call_max_calls 4',
    `module_path ${MODULES}`,
    'module g711.so',
    'module aubridge.so',
    'module stdio.so',
    'module_app account.so',
    'module_app menu.so',
    '',
  ].join('\n');
}

function accountFor({ account, password, proxy }: SoftPhoneOptions): string {
  const parameters = [
    `auth_user=${account}`,
    `auth_pass=${password}`,
    `outbound="sip:${proxy}:${SIP_PORT}"`,
    'regint=300',
    'answermode=manual',
    'ptime=20',
  ];
  return `<sip:${account}@${SIP_DOMAIN}>;${parameters.join(';')}\n`;
}
