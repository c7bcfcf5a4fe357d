import { PLATFORMS, type Platform } from '../devices/device.ts';

/** The platform that a row of the database names; throws where a newer or damaged database names another one. */
export const storedPlatform = (name: string): Platform => {
  const platform = PLATFORMS.find((known) => known === name);
  if (platform === undefined)
    throw new Error('the database names a platform that this version does not know');
  return platform;
};
