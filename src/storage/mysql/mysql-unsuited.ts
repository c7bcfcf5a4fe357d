interface Oldest {
  readonly name: string;
  readonly version: readonly [number, number, number];
}

/** The first versions with a collation that compares text exactly. */
const MARIADB: Oldest = { name: 'MariaDB', version: [10, 2, 0] };
const MYSQL: Oldest = { name: 'MySQL', version: [8, 0, 17] };

/** Why our tables cannot be on a server that says this of its `version()`; undefined where they can, or nobody knows. */
export const mysqlUnsuited = (version: string): string | undefined => {
  const numbers = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
  if (numbers === undefined) return undefined;
  const oldest = /mariadb/i.test(version) ? MARIADB : MYSQL;
  const difference = oldest.version
    .map((number, place) => (numbers[place] ?? 0) - number)
    .find((each) => each !== 0);
  if (difference === undefined || difference > 0) return undefined;
  return `the server is ${oldest.name} ${numbers.join('.')}; MySQL 8.0.17 or MariaDB 10.2, or newer, is needed`;
};
