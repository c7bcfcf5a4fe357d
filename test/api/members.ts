import { SANDBOX_APPS } from '../../src/cli/sandbox/sandbox-apps.ts';
import { newAccount, type TestService } from '../helpers/test-service.ts';

/** A user of the platform and the SIP account that is theirs. */
export interface Member {
  readonly account: number;
  /** Right Authorization headers, in both schemes that apps use. */
  readonly basic: string;
  readonly token: string;
}

/** Adds a user with an account of their own to the platform. */
export function addMember(service: Pick<TestService, 'world'>, account = newAccount()): Member {
  const headers = service.world.platform.addUser({
    account,
    user: `user${account}@example.com`,
    password: 'pass:word',
    token: 'platform-token',
  });
  return { account, ...headers };
}

/** The fields of a registration that is right: an Android phone, unless told. */
export function registration(member: Member, more: Readonly<Record<string, string>> = {}) {
  return {
    sip_user_id: String(member.account),
    token: `fcm-${member.account}:token`,
    app: SANDBOX_APPS.android,
    ...more,
  };
}
