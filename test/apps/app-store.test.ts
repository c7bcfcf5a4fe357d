import { STORE_OPENERS } from '../storage/store-openers.ts';
import { appStoreContract } from './app-store-contract.ts';

for (const opener of STORE_OPENERS) appStoreContract(opener);
