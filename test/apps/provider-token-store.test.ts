import { STORE_OPENERS } from '../storage/store-openers.ts';
import { providerTokenContract } from './provider-token-contract.ts';

for (const opener of STORE_OPENERS) providerTokenContract(opener);
