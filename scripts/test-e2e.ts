/**
 * Makes calls through a real Kamailio with the configuration of integrations/kamailio: SIPp calls, phones with baresip
 * are woken and take them. Prints a table and fails when a case did. `--only NAME` runs the cases whose names begin so,
 * `--modules FOLDER` tries http_async_client from there as well, `--ladder` draws the ladder of docs/a-call-in-sip.md again.
 */
import { runE2e } from '../test/e2e/run-e2e.ts';

process.exitCode = await runE2e(process.argv.slice(2));
