/** Where programs are looked for: root's places too, which are not on everybody's path. */
export const PROGRAM_PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;
