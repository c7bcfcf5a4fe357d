/** One DER value (ITU-T X.690): tag, length, content. */
function value(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const hex = body.length.toString(16);
  const size = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 | size.length), size, body]);
}

/** One arc of an object identifier: seven bits a byte, all but the last with the high bit set. */
function arc(number: number): number[] {
  const bytes = [number % 128];
  for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift((rest % 128) | 0x80);
  }
  return bytes;
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return value(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(arc)));
}

/** RFC 5280 section 4.1.2.5: UTCTime to the end of 2049, GeneralizedTime after it. */
function time(date: Date): Buffer {
  const digits = `${date.toISOString().replace(/[-:T]|\.\d+/g, '')}`;
  return date.getUTCFullYear() < 2050
    ? value(0x17, Buffer.from(digits.slice(2)))
    : value(0x18, Buffer.from(digits));
}

/** Encoders of the DER values that an X.509 certificate is made of; each returns the whole value with its tag. */
export const der = {
  sequence: (...content: readonly Uint8Array[]): Buffer => value(0x30, ...content),
  set: (...content: readonly Uint8Array[]): Buffer => value(0x31, ...content),
  /** `bytes` is big-endian and must start with a bit that is not set. */
  integer: (bytes: Uint8Array): Buffer => value(0x02, bytes),
  oid,
  time,
  true: (): Buffer => value(0x01, Buffer.of(0xff)),
  utf8: (text: string): Buffer => value(0x0c, Buffer.from(text)),
  octets: (bytes: Uint8Array): Buffer => value(0x04, bytes),
  bits: (bytes: Uint8Array, unused = 0): Buffer => value(0x03, Buffer.of(unused), bytes),
  /** Context-specific tag around whole values. */
  explicit: (number: number, ...content: readonly Uint8Array[]): Buffer => value(0xa0 | number, ...content),
  /** Context-specific tag in the place of a primitive value's own. */
  implicit: (number: number, bytes: Uint8Array): Buffer => value(0x80 | number, bytes),
};
