import type { BodySchema, Fields } from '../wire/fields/body-schema.ts';
import {
  CallCancelled,
  CallResponse,
  CheckIn,
  DeviceRegistrationBody,
  DeviceRemovalBody,
  HangupReason,
  IncomingCall,
  LogMetrics,
} from '../wire/schemas.ts';
import type { Json } from './responses.ts';

/** The body of a request, and one as a client could send it. */
export interface Body {
  readonly schema: BodySchema<Fields>;
  readonly example: Json;
}

const ACCOUNT = { sip_user_id: 123456789 };
const CALL_ID = '7d1f0c52-9a5b-4e0e-8f0a-3a4c2b1d9e60';
const DEVICE = {
  ...ACCOUNT,
  token: '740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad',
  app: 'com.example.phone',
};

/** Every body, by the name of its schema in the code. */
export const BODIES = {
  incomingCall: {
    schema: IncomingCall,
    example: { ...ACCOUNT, phonenumber: '+31201234567', caller_id: 'Front desk', call_id: CALL_ID },
  },
  callCancelled: { schema: CallCancelled, example: { call_id: CALL_ID, reason: 'answered elsewhere' } },
  callResponse: {
    schema: CallResponse,
    example: { unique_key: CALL_ID, message_start_time: 1780000000.1234567, available: true },
  },
  registration: {
    schema: DeviceRegistrationBody,
    example: {
      ...DEVICE,
      name: 'Phone of Alice',
      os_version: '26.1',
      client_version: '8.2.0',
      sandbox: false,
      push_profile: 'once',
    },
  },
  removal: { schema: DeviceRemovalBody, example: DEVICE },
  hangupReason: {
    schema: HangupReason,
    example: { ...ACCOUNT, unique_key: CALL_ID, reason: 'no microphone permission' },
  },
  logMetrics: {
    schema: LogMetrics,
    example: { ...ACCOUNT, call_setup_successful: 'true', os: 'iOS', os_version: '26.1', codec: 'opus' },
  },
  checkIn: { schema: CheckIn, example: ACCOUNT },
} as const satisfies Record<string, Body>;
