/** What a call push tells the phone; the wire fields are made of it by each provider's payload. */
export interface CallMessage {
  readonly kind: 'call';
  /** What the app echoes as `unique_key`. */
  readonly uniqueKey: string;
  readonly phoneNumber: string;
  readonly callerId: string;
  /** Absolute URL, path `/api/call-response/`. */
  readonly responseApi: string;
  /** Seconds since the epoch, with fraction; new for each attempt, echoed by the app and never trusted. */
  readonly messageStartTime: number;
  /** 1 for the first push of a call. */
  readonly attempt: number;
}

/**
 * How a notice reaches the phone: `data` is Google's data message, `alert` an ordinary Apple alert to the device's
 * `remoteNotificationToken`, `voip` a VoIP push, which only apps that registered without `push_profile` may get.
 */
export type NoticeChannel = 'data' | 'alert' | 'voip';

/** A text for the person who holds the phone: the takeover notice. */
export interface NoticeMessage {
  readonly kind: 'notice';
  readonly text: string;
  readonly channel: NoticeChannel;
}

/** Everything that is ever pushed. */
export type PushMessage = CallMessage | NoticeMessage;
