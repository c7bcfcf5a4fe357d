/** How PBXs and apps identify themselves. */
export const SECURITY = {
  accountAuth: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description:
      "The user's credential on the telephone platform, of any scheme (`Basic`, `Token`). The service passes it on unchanged. Not required with ACCOUNT_AUTH=none.",
  },
  pbxToken: {
    type: 'http',
    scheme: 'bearer',
    description:
      'PBX_TOKEN, if it is set. PBX_ALLOW (addresses) and PBX_CLIENT_CA_FILE (a TLS client certificate) can be required instead or as well.',
  },
};

/** What a PBX shows; with PBX_ALLOW alone no token is needed. */
export const PBX_SECURITY = [{ pbxToken: [] }, {}];
/** An account's credential; none with ACCOUNT_AUTH=none. */
export const ACCOUNT_SECURITY = [{ accountAuth: [] }, {}];
