import { serverSuite } from './server-suite.ts';

serverSuite('PostgreSQL');
