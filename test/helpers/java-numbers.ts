const DECIMAL = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/;

function fail(text: string): never {
  throw new Error(`java.lang.NumberFormatException: For input string: "${text}"`);
}

/** Java's `Integer.parseInt`: digits and a sign, nothing else; throws as it does. */
export function parseInt32(text: string): number {
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || value > 2_147_483_647 || value < -2_147_483_648) return fail(text);
  return value;
}

/** Java's `Long.parseLong`. */
export function parseInt64(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) return fail(text);
  const value = BigInt(text);
  return BigInt.asIntN(64, value) === value ? value : fail(text);
}

/** Java's `Double.parseDouble`, for decimal numbers. */
export function parseDouble(text: string): number {
  return DECIMAL.test(text) && /\d/.test(text) ? Number(text) : fail(text);
}

/** Java's `new BigDecimal(text).toPlainString()`: the digits as they stand, without an exponent. */
export function plainDecimal(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? fail(text);
  if (whole + fraction === '') return fail(text);
  const scale = fraction.length - Number(exponent);
  const digits = (whole + fraction).replace(/^0+(?=\d)/, '');
  const minus = sign === '-' ? '-' : '';
  if (scale <= 0) return minus + digits + '0'.repeat(-scale);
  const padded = digits.padStart(scale + 1, '0');
  return `${minus}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}
