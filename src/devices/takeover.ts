import type { Device } from './device.ts';

/** How a phone that lost its account can be told; `none` when whatever reaches it would do harm. */
export type TakeoverNotice = 'android-data' | 'apns-alert' | 'apns-voip' | 'none';

/** What one phone keeps across a refresh of its push token, where its app tells it at all. */
const MARKS = ['remoteLoggingId', 'name', 'remoteNotificationToken'] as const;

/** A mark that one of the two leaves out, or leaves empty, is no evidence. */
function bothSayDifferently(one: string | null, other: string | null): boolean {
  return one !== null && one !== '' && other !== null && other !== '' && one !== other;
}

/**
 * Whether `next` is evidently another installation than `previous`, the account's device until now, and not the same
 * phone with a fresh token: telling that one would switch off the phone that has just registered.
 */
export function isTakeover(previous: Device, next: Device): boolean {
  if (previous.token === next.token) return false;
  if (previous.platform !== next.platform || previous.appId !== next.appId) return true;
  return MARKS.some((mark) => bothSayDifferently(previous[mark], next[mark]));
}

function isBlank(text: string | null): boolean {
  return text === null || text === '';
}

/**
 * How to tell `previous` that another phone took its account. An iOS app that registers a push profile reports every
 * VoIP push as a call, so it is only told where it has a token for ordinary alerts.
 */
export function noticeFor(previous: Device): TakeoverNotice {
  switch (previous.platform) {
    case 'android':
    case 'gcm':
      return 'android-data';
    case 'apns':
      if (!isBlank(previous.remoteNotificationToken)) return 'apns-alert';
      return isBlank(previous.pushProfile) ? 'apns-voip' : 'none';
    default:
      return previous.platform satisfies never;
  }
}
