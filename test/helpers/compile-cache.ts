const folder = process.env['NODE_COMPILE_CACHE'];

/** Environment for programs that a test starts: what Node compiled for one test serves the next. */
export const COMPILE_CACHE: Readonly<Record<string, string>> =
  folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
