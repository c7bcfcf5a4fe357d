import Type, { type TBoolean, type TInteger, type TNumber, type TString } from 'typebox';
import { cutTextDecoder } from './cut-text.ts';
import { decodeAccountNumber, MAX_ACCOUNT, MIN_ACCOUNT } from './decode-account-number.ts';
import { decodeBoolean } from './decode-boolean.ts';
import { decodeCallId, decodeCallKey, decodeOptionalCallId } from './decode-call-key.ts';
import { charDecoder, decodeText } from './decode-char.ts';
import { decodeFloat } from './decode-float.ts';
import { decodePhoneNumber, WITHHELD } from './decode-phone-number.ts';
import { decodeRegisteredToken, decodeToken, MAX_TOKEN } from './decode-token.ts';
import { accept } from './decoded.ts';
import { type BlankRule, type Field, lenientField, optionalField, requiredField } from './field.ts';
import { trimPython } from './python-text.ts';

/** Most characters of an ordinary text field, after trimming. */
const MAX_CHAR = 255;

/** Text of which nothing is left after trimming. */
const blankText: BlankRule = (value) => typeof value === 'string' && trimPython(value) === '';
/** Django REST framework: an empty value of a form is not sent, an empty JSON string is a value. */
const emptyInForm: BlankRule = (value, source) => value === '' && source === 'form';
const emptyAnywhere: BlankRule = (value) => value === '';

/** `sip_user_id`. */
export function accountField(): Field<number> {
  const schema: TInteger = Type.Integer({
    description: 'The SIP account.',
    minimum: MIN_ACCOUNT,
    maximum: MAX_ACCOUNT,
  });
  return requiredField(schema, decodeAccountNumber);
}

/** Text that must be there, 1 to 255 characters. */
export function textField(description: string): Field<string> {
  return requiredField(boundedText(description, 1, MAX_CHAR), charDecoder(MAX_CHAR));
}

/** Text of at most 255 characters; blank is as if it were not sent. */
export function optionalTextField<A>(description: string, absent: A): Field<string | A> {
  const schema = boundedText(description, 0, MAX_CHAR);
  return optionalField(schema, charDecoder(MAX_CHAR), { absent, isBlank: blankText });
}

/** Text that only the size of the body bounds; blank is as if it were not sent. */
export function longTextField(description: string, alias: string): Field<string | null> {
  const schema = Type.String({ description });
  return optionalField(schema, decodeText, { absent: null, isBlank: blankText, alias });
}

/** A caller's number: never a reason to refuse a call. */
export function phoneNumberField(description: string): Field<string> {
  return lenientField(Type.String({ description: withDefault(description, WITHHELD) }), decodePhoneNumber);
}

/** Text about a call that need not be exact, cut to 255 characters: never a reason to refuse a request. */
export function cutTextField(description: string): Field<string> {
  return lenientField(Type.String({ description }), cutTextDecoder(MAX_CHAR));
}

/** The key of a call, echoed by an app. */
export function callKeyField(description: string): Field<string> {
  return requiredField(Type.String({ description, minLength: 1 }), decodeCallKey);
}

/** A PBX's name of a call. */
export function callIdField(description: string): Field<string> {
  return requiredField(Type.String({ description, minLength: 1 }), decodeCallId);
}

/** The same where none is needed: never a reason to refuse a call. */
export function optionalCallIdField(description: string): Field<string | undefined> {
  return lenientField(Type.String({ description }), decodeOptionalCallId);
}

/** A push token that an app registers. */
export function tokenField(description: string): Field<string> {
  return requiredField(boundedText(description, 1, MAX_TOKEN), decodeToken);
}

/** A push token that an app has registered before. */
export function registeredTokenField(description: string): Field<string> {
  return requiredField(boundedText(description, 1, MAX_TOKEN), decodeRegisteredToken);
}

/** A finite number. */
export function floatField(description: string): Field<number> {
  const schema: TNumber = Type.Number({ description });
  return requiredField(schema, decodeFloat);
}

/** True or false; an empty value of a form is as if it were not sent. */
export function booleanField(description: string, absent: boolean): Field<boolean> {
  const schema: TBoolean = Type.Boolean({ description: withDefault(description, absent) });
  return optionalField(schema, decodeBoolean, { absent, isBlank: emptyInForm });
}

/** True or false, where what is neither is as if it were not sent: never a reason to refuse a call. */
export function lenientBooleanField(description: string, absent: boolean): Field<boolean> {
  const schema: TBoolean = Type.Boolean({ description: withDefault(description, absent) });
  const otherwise = accept(absent);
  return lenientField(schema, (value) => {
    const meant = decodeBoolean(value);
    return meant.ok ? meant : otherwise;
  });
}

/** True, false or not said (null); empty is as if it were not sent, in JSON too. */
export function triStateField(description: string): Field<boolean | null> {
  const schema: TBoolean = Type.Boolean({ description });
  return optionalField(schema, decodeBoolean, { absent: null, isBlank: emptyAnywhere });
}

/** In words: of a schema's `default`, generators of clients make a field that must be sent. */
function withDefault(description: string, absent: boolean | string): string {
  return `${description} Default: \`${absent}\`.`;
}

function boundedText(description: string, minLength: number, maxLength: number): TString {
  return Type.String(minLength === 0 ? { description, maxLength } : { description, minLength, maxLength });
}
