/** A part of the sources that is measured by itself, and the tests that are to notice its faults. */
export interface Area {
  readonly name: string;
  readonly sources: string;
  readonly except?: string;
  /** Of these, a mutant meets only those that run its line. */
  readonly tests: readonly string[];
}

export const AREAS: readonly Area[] = [
  {
    name: 'calls',
    sources: 'src/calls/**/*.ts',
    tests: ['test/{calls,api,providers}/*.test.ts', 'test/bus/lone-bus.test.ts'],
  },
  { name: 'bus', sources: 'src/bus/**/*.ts', tests: ['test/bus/*.test.ts'] },
  {
    name: 'push',
    sources: 'src/{push,http2}/**/*.ts',
    tests: ['test/{push,http2,providers}/*.test.ts'],
  },
  {
    name: 'devices',
    sources: 'src/{devices,apps}/**/*.ts',
    tests: [
      'test/{devices,apps,servers,cli}/*.test.ts',
      'test/api/{devices,registrations-limit}.test.ts',
      'test/clients/takeover-notice.test.ts',
    ],
  },
  {
    name: 'http',
    sources: 'src/http/**/*.ts',
    tests: [
      'test/{http,api,tls}/*.test.ts',
      'test/redis/shared-failures.test.ts',
      'test/operations/{readiness,platform-api-documented}.test.ts',
    ],
  },
  {
    name: 'telemetry',
    sources: 'src/telemetry/**/*.ts',
    tests: ['test/telemetry/*.test.ts', 'test/operations/*.test.ts'],
  },
  {
    name: 'storage',
    sources: 'src/storage/**/*.ts',
    tests: [
      'test/storage/*.test.ts',
      'test/servers/*.test.ts',
      'test/operations/{full-disk,locked-database,sqlite-file,restore}.test.ts',
    ],
  },
];
