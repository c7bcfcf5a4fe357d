/** The platforms an app can be registered for; `gcm` is what Android apps of before 2018 call themselves. */
export const PLATFORMS = ['apns', 'gcm', 'android'] as const;

/** Which push service a device is woken through: Apple's for `apns`, Google's for the other two. */
export type Platform = (typeof PLATFORMS)[number];

/** The platform that a row of the database names; throws where a newer or damaged database names another one. */
export function storedPlatform(name: string): Platform {
  const platform = PLATFORMS.find((known) => known === name);
  if (platform === undefined)
    throw new Error('the database names a platform that this version does not know');
  return platform;
}
