/** A SIP message that Kamailio received or sent. */
export interface SipMessage {
  /** Milliseconds since the epoch, with fractions. */
  readonly at: number;
  readonly received: boolean;
  /** Addresses without ports. */
  readonly from: string;
  readonly to: string;
  /** `INVITE`, or the status of an answer: `200`. */
  readonly kind: string;
  /** Of an answer, what it answers. */
  readonly method: string;
  /** The first line, without `SIP/2.0`. */
  readonly line: string;
  readonly callId: string;
  /** The value of a header; undefined where it is absent. */
  header(name: string): string | undefined;
}

const BEGIN = `${'='.repeat(20)}\n`;
const MIDDLE = `\n${'~'.repeat(20)}\n`;
const END = `${'|'.repeat(20)}\n`;

/** Reads a file that Kamailio's module sipdump wrote; the last message may be missing its end. */
export function readSipDump(text: string): readonly SipMessage[] {
  return text.split(BEGIN).flatMap((entry): SipMessage[] => {
    const middle = entry.indexOf(MIDDLE);
    const end = entry.lastIndexOf(END);
    if (middle < 0 || end < 0) return [];
    return [readMessage(entry.slice(0, middle), entry.slice(middle + MIDDLE.length, end))];
  });
}

function readMessage(about: string, message: string): SipMessage {
  const facts = new Map(
    about.split('\n').map((line): [string, string] => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
  const [first = '', ...lines] = message.split(/\r?\n/);
  const header = (name: string) => {
    const start = `${name.toLowerCase()}:`;
    const found = lines.find((line) => line.toLowerCase().startsWith(start));
    return found?.slice(start.length).trim();
  };
  const isAnswer = first.startsWith('SIP/2.0 ');
  const line = first.replace(/^SIP\/2\.0 | SIP\/2\.0$/, '');
  return {
    at: Number(facts.get('time')) * 1_000,
    received: facts.get('tag') === 'rcv',
    from: facts.get('srcip') ?? '',
    to: facts.get('dstip') ?? '',
    kind: line.split(' ')[0] ?? '',
    method: isAnswer ? (header('CSeq')?.split(' ')[1] ?? '') : (line.split(' ')[0] ?? ''),
    line,
    callId: header('Call-ID') ?? '',
    header,
  };
}
