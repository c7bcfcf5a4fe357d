import type { Device } from '../../devices/device.ts';
import { PROGRAM } from '../../lib/program.ts';
import { hashOf } from '../../telemetry/redaction.ts';
import { CommandFailed } from '../kit/command-context.ts';

/** A device as an operator sees it: tokens as hashes, the phone's name only where it was asked for. */
export interface DeviceView {
  readonly account: number;
  readonly platform: Device['platform'];
  readonly appId: string;
  readonly token: string;
  readonly sandbox: boolean | null;
  readonly pushProfile: string | null;
  readonly remoteNotificationToken: string | null;
  readonly name: string | null;
  readonly osVersion: string | null;
  readonly clientVersion: string | null;
  readonly remoteLoggingId: string | null;
  readonly registeredAt: string;
  readonly lastSeenAt: string;
}

/** What may be shown of a device. */
export function deviceView(device: Device, options: { readonly showName: boolean }): DeviceView {
  const { name, remoteNotificationToken } = device;
  return {
    account: device.account,
    platform: device.platform,
    appId: device.appId,
    token: hashOf(device.token),
    sandbox: device.sandbox,
    pushProfile: device.pushProfile,
    remoteNotificationToken: remoteNotificationToken === null ? null : hashOf(remoteNotificationToken),
    // "Name of phone" is mostly its owner's first name.
    name: name === null || options.showName ? name : `(${name.length} characters)`,
    osVersion: device.osVersion,
    clientVersion: device.clientVersion,
    remoteLoggingId: device.remoteLoggingId,
    registeredAt: instant(device.registeredAt),
    lastSeenAt: instant(device.lastSeenAt),
  };
}

function instant(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The account has no device. */
export function noDevice(account: number): CommandFailed {
  return new CommandFailed(`No device is registered for account ${account}. See: ${PROGRAM} devices list`);
}
