import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { modulesFolder } from './kamailio.ts';
import { PROGRAM_PATH } from './program-path.ts';

function has(program: string): boolean {
  return PROGRAM_PATH.split(':').some((folder) => folder !== '' && existsSync(join(folder, program)));
}

function hasModule(module: string): boolean {
  const folder = modulesFolder();
  return folder !== undefined && existsSync(join(folder, module));
}

/** The Debian packages that the suite needs and that are not installed. */
export function missingPackages(): readonly string[] {
  return [
    ...(has('kamailio') ? [] : ['kamailio']),
    ...(hasModule('http_client.so') ? [] : ['kamailio-utils-modules']),
    ...(has('sipp') ? [] : ['sip-tester']),
    ...(has('baresip') ? [] : ['baresip-core']),
    ...(has('setpriv') ? [] : ['util-linux']),
  ];
}

/** Whether Kamailio has the module that asks without blocking; Debian 12 has no package of it. */
export function hasHttpAsyncClient(modules: string | undefined): boolean {
  return (
    hasModule('http_async_client.so') ||
    (modules !== undefined && existsSync(join(modules, 'http_async_client.so')))
  );
}

/** Whether the machine has an IPv4 address besides loopback's: without one baresip does not register anywhere. */
export function hasNetwork(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ family, internal }) => family === 'IPv4' && !internal),
  );
}
