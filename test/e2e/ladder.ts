import type { Handset } from './handset.ts';
import type { HttpPiece } from './http-tap.ts';
import type { Network } from './network.ts';
import type { SipMessage } from './sip-message.ts';

/** Who takes part in a call, from left to right. */
const PARTIES = ['PBX', 'Kamailio', 'service', 'Apple', 'phone'] as const;
type Party = (typeof PARTIES)[number];

/** Something that one said to another. */
export interface Rung {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly from: Party;
  readonly to: Party;
  readonly text: string;
}

const COLUMN = 27;
const TIME = 7;

/** Everything that was said in the one call of a woken iPhone, in order. */
export function rungsOf(call: {
  readonly messages: readonly SipMessage[];
  readonly pieces: readonly HttpPiece[];
  readonly phone: Handset;
  readonly network: Network;
}): readonly Rung[] {
  const { network, phone } = call;
  const address = phone.softPhone()?.address;
  const partyAt = (where: string): Party | undefined => {
    if (where === network.proxy) return 'Kamailio';
    if (where === network.caller) return 'PBX';
    return where === address ? 'phone' : undefined;
  };
  const rungs = call.messages.flatMap(({ at, from, to, line, kind, method }): Rung[] => {
    const one = partyAt(from);
    const other = partyAt(to);
    if (one === undefined || other === undefined || method === 'OPTIONS') return [];
    const reason = line.slice(kind.length + 1);
    // Kamailio's own sentence for 100 is longer than the rung.
    return [
      {
        at,
        from: one,
        to: other,
        text: kind === method ? kind : `${kind} ${kind === '100' ? 'Trying' : reason}`,
      },
    ];
  });
  for (const { at, from, text } of call.pieces) {
    const [first = ''] = text.split('\r\n');
    const body = text.slice(text.indexOf('\r\n\r\n') + 4);
    rungs.push(
      from === 'kamailio'
        ? { at, from: 'Kamailio', to: 'service', text: first.replace(' HTTP/1.1', '') }
        : { at, from: 'service', to: 'Kamailio', text: `${first.split(' ')[1]} ${body.split('&')[0]}` },
    );
  }
  const { pushes, answeredAt, statuses } = phone.diary;
  for (const at of pushes) {
    rungs.push(
      { at, from: 'service', to: 'Apple', text: 'push' },
      { at, from: 'Apple', to: 'phone', text: 'push' },
    );
  }
  for (const [index, at] of answeredAt.entries()) {
    rungs.push({ at, from: 'phone', to: 'service', text: `POST /api/call-response/ (${statuses[index]})` });
  }
  return rungs.sort((one, other) => one.at - other.at);
}

/** Draws the rungs below each other, with the milliseconds since the first. */
export function drawLadder(rungs: readonly Rung[]): string {
  const start = rungs[0]?.at ?? 0;
  const width = TIME + (PARTIES.length - 1) * COLUMN + 1;
  const heads = ' '.repeat(width + COLUMN).split('');
  for (const [index, party] of PARTIES.entries()) {
    write(heads, Math.max(0, columnOf(index) - Math.floor(party.length / 2)), party);
  }
  const rows = rungs.map(({ at, from, to, text }) => {
    const row = ' '.repeat(width).split('');
    for (const index of PARTIES.keys()) row[columnOf(index)] = '|';
    write(row, 0, String(Math.round(at - start)).padStart(TIME - 3));
    const [one, other] = [columnOf(PARTIES.indexOf(from)), columnOf(PARTIES.indexOf(to))];
    const [left, right] = [Math.min(one, other) + 1, Math.max(one, other) - 1];
    const label = ` ${text} `;
    write(row, left, '-'.repeat(right - left + 1));
    write(row, left + Math.floor((right - left + 1 - label.length) / 2), label);
    row[one < other ? right : left] = one < other ? '>' : '<';
    return row.join('').trimEnd();
  });
  return [heads.join('').trimEnd(), ...rows].join('\n');
}

function columnOf(index: number): number {
  return TIME + index * COLUMN;
}

function write(row: string[], from: number, text: string): void {
  for (const [offset, letter] of [...text].entries()) row[from + offset] = letter;
}
