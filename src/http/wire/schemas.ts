import Type, { type TProperties, type TString } from 'typebox';
import { bodySchema } from './fields/body-schema.ts';
import { decodeOptionalToken, decodePushProfile, MAX_PUSH_PROFILE } from './fields/decode-lenient.ts';
import { MAX_TOKEN } from './fields/decode-token.ts';
import { lenientField } from './fields/field.ts';
import {
  accountField,
  booleanField,
  callIdField,
  callKeyField,
  cutTextField,
  floatField,
  lenientBooleanField,
  longTextField,
  optionalCallIdField,
  optionalTextField,
  phoneNumberField,
  registeredTokenField,
  textField,
  tokenField,
  triStateField,
} from './fields/field-kinds.ts';

/** The body of /api/incoming-call/. */
export const IncomingCall = bodySchema('IncomingCall', 'A call for an account.', {
  sip_user_id: accountField(),
  phonenumber: phoneNumberField(
    'Who calls: shown by the app as it is sent, trimmed, 32 characters at most. Of a SIP or tel URI its user or number.',
  ),
  caller_id: cutTextField('Name of the caller; 255 characters at most are shown.'),
  call_id: optionalCallIdField(
    "The PBX's own name of the call. Asking again with the same name joins the call that already waits.",
  ),
  outcome_in_body: lenientBooleanField(
    'Whether the outcome stands in the body of the answer too, for a PBX that cannot read its headers.',
    false,
  ),
});

/** The body of /api/call-cancelled/. */
export const CallCancelled = bodySchema('CallCancelled', 'The PBX no longer wants the phone.', {
  call_id: callIdField('The `call_id` of the incoming call.'),
  reason: cutTextField("The PBX's word for why, for the log; 255 characters at most are kept."),
});

/** The body of /api/call-response/. */
export const CallResponse = bodySchema('CallResponse', "The app's answer to a push.", {
  unique_key: callKeyField('The `unique_key` of the push, or the `call_id` of the PBX.'),
  message_start_time: floatField(
    'The `message_start_time` of the push. Must be there; nothing is decided by it.',
  ),
  available: booleanField('Whether the phone is ready for the call.', true),
});

const pushProfile: TString = Type.String({
  description: '`once`: the app wants exactly one push a call. Anything that is no such text is ignored.',
  maxLength: MAX_PUSH_PROFILE,
});
const remoteNotificationToken: TString = Type.String({
  description: 'Token for ordinary pushes (iOS). Anything that is no such text is ignored.',
  maxLength: MAX_TOKEN,
});

/** The body of POST /api/{apns,gcm,android}-device/. */
export const DeviceRegistrationBody = bodySchema('DeviceRegistration', 'The phone to wake for an account.', {
  sip_user_id: accountField(),
  token: tokenField("Push token; an iPhone's in hexadecimal."),
  app: textField('Bundle id or package name.'),
  name: optionalTextField('Name of the device.', null),
  os_version: optionalTextField('Version of its operating system.', null),
  client_version: optionalTextField('Version of the app.', null),
  remote_logging_id: optionalTextField('Id under which the app logs elsewhere.', null),
  sandbox: triStateField("Apple's sandbox environment."),
  push_profile: lenientField(pushProfile, decodePushProfile),
  remote_notification_token: lenientField(remoteNotificationToken, decodeOptionalToken),
});

/** The body (or query) of DELETE /api/{apns,gcm,android}-device/. */
export const DeviceRemovalBody = bodySchema('DeviceRemoval', 'The phone no longer to wake for an account.', {
  sip_user_id: accountField(),
  token: registeredTokenField('Push token, exactly as registered.'),
  app: textField('Bundle id or package name, exactly as registered.'),
});

/** The body of /api/hangup-reason/; vialer-ios 5.5 to 5.6.7 names the reason `hangup_reason`. */
export const HangupReason = bodySchema('HangupReason', 'Why the phone did not take a call.', {
  sip_user_id: accountField(),
  unique_key: textField('The `unique_key` of the push.'),
  reason: longTextField('The reason in words.', 'hangup_reason'),
});

/** The figures that become metrics; apps send more. Values may be of any type. */
const FIGURES = {
  hangup_reason: 'Counts a hangup, whatever it says.',
  call_setup_successful:
    'The text `true` or `false` counts a success or a failure, where there is no hangup_reason.',
  failed_reason: 'Why the call failed.',
  app_version: 'Version of the app.',
  os: 'Operating system.',
  os_version: 'Its version.',
  network: 'Kind of network; the operator does not count on `wifi`.',
  network_operator: 'Operator of the mobile network.',
  connection_type: 'Transport of the SIP connection.',
  direction: 'Incoming or outgoing.',
  codec: 'Codec of the call.',
  mos: 'Mean opinion score.',
};

const figures: TProperties = Object.fromEntries(
  Object.entries(FIGURES).map(([name, description]) => [name, Type.Optional(Type.Unknown({ description }))]),
);

/** The body of /api/log-metrics/: only the account is checked, everything else is the app's word of any type. */
export const LogMetrics = bodySchema(
  'LogMetrics',
  "An app's own figures of a call.",
  { sip_user_id: accountField() },
  figures,
);

/** The body of /api/check-in/. */
export const CheckIn = bodySchema('CheckIn', 'The app is alive.', { sip_user_id: accountField() });
