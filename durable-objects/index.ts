export { AgcodGateObject } from './agcod-gate.ts';
export { LimitObject } from './limit.ts';
export { OtpObject } from './otp.ts';
export { SessionFamilyObject } from './session-family.ts';
export { VelocityObject } from './velocity.ts';

// The objects are reached through bindings only; nothing answers over HTTP.
export default { fetch: () => new Response(null, { status: 404 }) };
