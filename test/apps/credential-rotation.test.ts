import { STORE_OPENERS } from '../storage/store-openers.ts';
import { credentialRotationContract } from './credential-rotation-contract.ts';

for (const opener of STORE_OPENERS) credentialRotationContract(opener);
