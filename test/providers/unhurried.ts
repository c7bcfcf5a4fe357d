/** Settings for calls that do not end by their deadline, however busy the machine is: one push a call. */
export const UNHURRIED = { APP_PUSH_ROUNDTRIP_WAIT: '10000', APP_PUSH_RESEND_INTERVAL: '10000' } as const;
