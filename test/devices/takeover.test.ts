import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Device } from '../../src/devices/device.ts';
import { isTakeover, noticeFor } from '../../src/devices/takeover.ts';

const OLD: Device = {
  account: 123456789,
  appKey: 1,
  platform: 'apns',
  appId: 'com.example.app',
  token: 'old',
  sandbox: null,
  name: 'one phone',
  osVersion: '13',
  clientVersion: '6',
  remoteLoggingId: 'log-1',
  pushProfile: null,
  remoteNotificationToken: 'alert-1',
  registeredAt: 1,
  lastSeenAt: 1,
};
const NEW: Device = { ...OLD, token: 'new', registeredAt: 2, lastSeenAt: 2 };

describe('whether another phone took the account', () => {
  const cases: readonly (readonly [string, Partial<Device>, Partial<Device>, boolean])[] = [
    ['a token refresh of the same phone', {}, {}, false],
    [
      'an update of the phone or its app',
      {},
      { osVersion: '14', clientVersion: '7', pushProfile: 'once' },
      false,
    ],
    ['another build of the same app on the same phone', {}, { sandbox: true }, false],
    ['another platform', {}, { platform: 'android' }, true],
    ['the older of the Android platforms', { platform: 'android' }, { platform: 'gcm' }, true],
    ['another app', {}, { appId: 'com.example.other', appKey: 2 }, true],
    ['an app that was removed and added again', {}, { appKey: 2 }, false],
    ['another logging id', {}, { remoteLoggingId: 'log-2' }, true],
    ['another device name', {}, { name: 'other phone' }, true],
    ['another token for alerts', {}, { remoteNotificationToken: 'alert-2' }, true],
    ['a logging id that is switched off', {}, { remoteLoggingId: null }, false],
    ['a logging id that is switched on', { remoteLoggingId: null }, {}, false],
    ['a name that is no longer told', {}, { name: null }, false],
    ['a name that is left blank', {}, { name: '' }, false],
    ['a name that was left blank', { name: '' }, {}, false],
    ['a token for alerts that is new', { remoteNotificationToken: null }, {}, false],
    ['a token for alerts that was blank', { remoteNotificationToken: '' }, {}, false],
    ['the same token under another name', {}, { token: 'old', name: 'other phone' }, false],
    ['the same token on another platform', {}, { token: 'old', platform: 'gcm' }, false],
  ];
  for (const [name, before, after, expected] of cases) {
    it(`${name}: ${expected ? 'yes' : 'no'}`, () => {
      assert.equal(isTakeover({ ...OLD, ...before }, { ...NEW, ...after }), expected);
    });
  }
});

describe('how the phone that lost the account is told', () => {
  const platforms = ['apns', 'gcm', 'android'] as const;
  for (const platform of platforms) {
    for (const remoteNotificationToken of [null, '', 'alert']) {
      for (const pushProfile of [null, '', 'once', 'other']) {
        const expected = (): string => {
          if (platform !== 'apns') return 'android-data';
          if (remoteNotificationToken === 'alert') return 'apns-alert';
          return pushProfile === 'once' || pushProfile === 'other' ? 'none' : 'apns-voip';
        };
        const alert = JSON.stringify(remoteNotificationToken);
        it(`${platform}, alert token ${alert}, profile ${JSON.stringify(pushProfile)}: ${expected()}`, () => {
          assert.equal(noticeFor({ ...OLD, platform, remoteNotificationToken, pushProfile }), expected());
        });
      }
    }
  }
});
