import { loneWorld } from './bus-openers.ts';
import { oneInstanceContract } from './one-instance-contract.ts';

oneInstanceContract('memory', loneWorld);
