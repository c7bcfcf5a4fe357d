import type { Place } from './sealed-box.ts';

/** The place of a key's provider token, for the vault. */
export const tokenPlace = (credentialId: string): Place => ['provider_tokens.jwt', credentialId];
