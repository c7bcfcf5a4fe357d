import type { RawFields } from '../body/raw-fields.ts';
import type { DecodedBody } from './decode-fields.ts';
import { accountField } from './field-kinds.ts';

const NAME = 'sip_user_id';
const account = accountField();

/** The account alone: it is checked before the platform is asked whose it is, the other fields after. */
export function decodeAccount(raw: RawFields): DecodedBody<number> {
  const decoded = account.decode(raw.get(NAME), raw.source);
  return decoded.ok ? decoded : { ok: false, field: NAME, problem: decoded.problem };
}
