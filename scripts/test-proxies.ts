/**
 * Puts nginx, haproxy, apache2, caddy, h2o and nghttpx in front of the push services' stand-ins, with limits and
 * reloads, and makes 400 calls through each. Prints a table and fails when a call was lost. `--only NAME` takes the
 * proxies whose names begin so, `--trial NAME` the trials. Needs scripts/install-proxies.sh; no part of `npm test`.
 */
import { runProxies } from '../test/proxies/run-proxies.ts';

process.exitCode = await runProxies(process.argv.slice(2));
