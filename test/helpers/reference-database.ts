import mysql, { type RowDataPacket } from 'mysql2/promise';

/** The tables of VoIPGRID/vialer-middleware as its last migration (app 0007) leaves them in MySQL. */
const TABLES = [
  `create table app_app (
    id int not null auto_increment primary key,
    platform varchar(10) not null,
    app_id varchar(255) not null,
    push_key varchar(255) not null,
    logentries_token varchar(255) not null,
    partner_logentries_token varchar(255) null,
    unique key (app_id, platform)) engine=InnoDB default charset=utf8 row_format=dynamic`,
  `create table app_device (
    id varchar(255) not null unique,
    name varchar(255) null,
    sip_user_id varchar(255) not null primary key,
    os_version varchar(255) null,
    client_version varchar(255) null,
    token varchar(250) not null,
    sandbox tinyint(1) not null,
    last_seen datetime(6) null,
    app_id int not null,
    remote_logging_id varchar(255) null,
    foreign key (app_id) references app_app (id)) engine=InnoDB default charset=utf8 row_format=dynamic`,
  `create table app_responselog (
    id int not null auto_increment primary key,
    platform varchar(10) not null,
    roundtrip_time double not null,
    available tinyint(1) not null,
    date datetime(6) not null) engine=InnoDB default charset=utf8`,
];

/** A row of `app_device`; what is left out is as an app leaves it out. */
export interface ReferenceDevice {
  readonly account: string;
  readonly token: string;
  readonly app: number;
  /** UTC, `2019-01-02 03:04:05.678`. */
  readonly seen: string | null;
  readonly name?: string | null;
  readonly sandbox?: number;
}

/** A database of the reference, as its operator has it. */
export interface ReferenceDatabase {
  readonly url: string;
  run(sql: string, values?: readonly unknown[]): Promise<unknown>;
  devices(rows: readonly ReferenceDevice[]): Promise<void>;
  /** The names of all tables in it, sorted. */
  tables(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Makes the reference's tables in the empty database at `url`. */
export async function createReferenceDatabase(url: string): Promise<ReferenceDatabase> {
  const connection = await mysql.createConnection({ uri: url, charset: 'utf8mb4' });
  // What Django sets: https://docs.djangoproject.com/en/1.11/ref/databases/#setting-sql-mode
  await connection.query("set names utf8mb4, session sql_mode = 'STRICT_TRANS_TABLES', time_zone = '+00:00'");
  await connection.query('set session autocommit = 1, session sql_safe_updates = 0');
  for (const table of TABLES) await connection.query(table);
  const run = async (sql: string, values: readonly unknown[] = []) =>
    (await connection.query(sql, [...values]))[0];
  return {
    url,
    run,
    devices: async (rows) => {
      const values = rows.map(({ account, token, app, seen, name = null, sandbox = 0 }) => [
        account,
        account,
        token,
        app,
        seen,
        name,
        sandbox,
      ]);
      await run(
        'insert into app_device (id, sip_user_id, token, app_id, last_seen, name, sandbox) values ?',
        [values],
      );
    },
    tables: async () => {
      const [rows] = await connection.query<RowDataPacket[]>('show tables');
      return rows.map((row) => String(Object.values(row)[0])).sort();
    },
    close: () => connection.end(),
  };
}
