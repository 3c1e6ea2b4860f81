import { type Answer, json } from '../kit/http.ts';

export type Operation = 'CreateGiftCard' | 'CancelGiftCard' | 'GetAvailableFunds';
export type AgcodError = { errorCode: string; errorType: string; message: string };

const f200 = (errorType: string, message: string): AgcodError => ({ errorCode: 'F200', errorType, message });
const f300 = (errorType: string, message: string): AgcodError => ({ errorCode: 'F300', errorType, message });

/** Amazon's error types; the texts of those with a recorded sample are that sample's. */
export const AGCOD_ERRORS = {
  requestNull: f200('InvalidRequestInput', 'Request body is null'),
  cardNumberNull: f200('InvalidCardNumberInput', "Card number can't be null or empty"),
  partnerIdNull: f200('InvalidPartnerIdInput', "Partner Id can't be null or empty"),
  amountNull: f200('InvalidAmountInput', "Amount can't be null"),
  amountNotPositive: f200('InvalidAmountValue', 'Amount must be larger than 0'),
  currencyNull: f200('InvalidCurrencyCodeInput', "Currency Code can't be null or empty"),
  currencyMismatch: f200('CurrencyCodeMismatch', 'Currency Code Mismatch'),
  maxAmount: f200('MaxAmountExceeded', 'Max Amount Exceeded'),
  fractional: f200('FractionalAmountNotAllowed', 'Fractional Amount Not Allowed'),
  requestIdInvalid: f200('InvalidRequestIdInput', "Request Id can't be null or empty and must be alphanumeric"),
  requestIdTooLong: f200('RequestIdTooLong', 'Request Id is too long'),
  requestIdPrefix: f200('RequestIdMustStartWithPartnerName', 'Request Id must start with the partner name'),
  // The same id with another amount: that it is F200 is documented, its type is not; this is the listed type nearest to it.
  denominationMismatch: f200(
    'RequestedDenominationMismatch',
    'Requested denomination does not match the original request',
  ),
  externalReference: f200('ExternalReferenceTooLong', 'External reference is too long'),
  gcIdNull: f200('InvalidGCIdInput', "GC Id can't be null or empty"),
  cardNotFound: f200('CardNotFound', 'Card not found'),
  cancelTooLate: f200(
    'CancelRequestArrivedAfterTimeLimit',
    'Cancellation cannot be processed as too much time has elapsed since creation',
  ),
  missingAuthentication: f200('MissingAuthenticationTokenException', 'Missing Authentication Token'),
  signatureMismatch: f200(
    'InvalidSignatureException',
    'The request signature we calculated does not match the signature you provided. ' +
      'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  ),
  unknownAccessKey: f300('InvalidAwsAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.'),
  accessDenied: f300('AccessDenied', 'Access denied for this partner'),
  insufficientFunds: f300('InsufficientFunds', 'Insufficient Funds'),
  issuanceCap: f300('IssuanceCapExceeded', 'Issuance Cap Exceeded'),
} as const satisfies Record<string, AgcodError>;

/** A signature refused for `reason`: class F200, as Amazon's error page lists it. */
export function signatureError(reason: string): AgcodError {
  return f200('InvalidSignatureException', reason);
}

const NULL_FIELDS: Record<Operation, Record<string, null>> = {
  CreateGiftCard: { cardInfo: null, creationRequestId: null, gcClaimCode: null, gcExpirationDate: null, gcId: null },
  CancelGiftCard: { creationRequestId: null, gcId: null },
  GetAvailableFunds: { availableFunds: null, timestamp: null },
};

/** The error body, its `status` nested as Amazon nests it. F100 and F500 are Amazon's own failures: HTTP 500, all others 400. */
export function errorAnswer(operation: Operation, error: AgcodError): Answer {
  const status = error.errorCode === 'F400' ? 'RESEND' : 'FAILURE';
  const agcodResponse = {
    __type: `${operation}Response:http://internal.amazon.com/coral/com.amazonaws.agcod/`,
    ...NULL_FIELDS[operation],
    status,
  };
  const { errorCode, errorType, message } = error;
  const amazonFailed = errorCode === 'F100' || errorCode === 'F500';
  return json(amazonFailed ? 500 : 400, { agcodResponse, errorCode, errorType, message });
}

/** Too many calls: not an AGCOD body at all, but that of the framework in front of it. */
export function throttlingAnswer(): Answer {
  return json(400, { __type: 'com.amazon.coral.availability#ThrottlingException', message: 'Rate exceeded' });
}

/** A body that is not the operation's input. */
export function serializationAnswer(): Answer {
  return json(400, { __type: 'com.amazon.coral.service#SerializationException', message: null });
}

/** `x-amz-target` names no operation, or another one than the path. */
export function unknownOperationAnswer(): Answer {
  return json(404, { __type: 'com.amazon.coral.service#UnknownOperationException', message: null });
}
