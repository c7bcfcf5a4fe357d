/** How PBXs and apps show who they are. */
export const SECURITY = {
  accountAuth: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description:
      "The user's credential of the telephone platform, `Basic` or `Token`; handed on to the platform as it is. " +
      'Not asked for with ACCOUNT_AUTH=none.',
  },
  pbxToken: {
    type: 'http',
    scheme: 'bearer',
    description:
      'PBX_TOKEN, where it is set. PBX_ALLOW bounds the addresses, PBX_CLIENT_CA_FILE asks for a TLS client certificate, instead or as well.',
  },
};

/** What a PBX shows; with PBX_ALLOW alone no token is needed. */
export const PBX_SECURITY = [{ pbxToken: [] }, {}];
/** An account's credentials, where the platform is asked for them. */
export const ACCOUNT_SECURITY = [{ accountAuth: [] }, {}];
