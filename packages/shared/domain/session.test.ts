import { expect, test } from 'vitest';
import {
  isSessionLive,
  REFRESH_GRACE_MS,
  refreshSession,
  revokeSession,
  SESSION_SECONDS,
  sessionForgottenAt,
  startSession,
} from './session.ts';

const NOW = Date.parse('2026-11-02T10:00:00Z');
const session = startSession({ sessionId: 's', userId: 'u', secret: new Uint8Array(32) }, NOW);
const DAYS_30 = SESSION_SECONDS * 1000;

test('a refresh token is used once, and every use gives the session 30 more days', () => {
  const { outcome, state } = refreshSession(session, 0, NOW + 1000);
  expect(outcome).toBe('rotated');
  expect(state).toMatchObject({ generation: 1, rotatedAt: NOW + 1000 });
  expect(isSessionLive(state, NOW + DAYS_30)).toBe(true);
  expect(sessionForgottenAt(state)).toBe(NOW + 1000 + DAYS_30);
});

test('the one before answers for ten seconds with the same successor, then it revokes', () => {
  const { state } = refreshSession(session, 0, NOW);
  expect(refreshSession(state, 0, NOW + REFRESH_GRACE_MS - 1)).toEqual({ outcome: 'repeated', state });
  const reused = refreshSession(state, 0, NOW + REFRESH_GRACE_MS);
  expect(reused.outcome).toBe('reused');
  expect(isSessionLive(reused.state, NOW + REFRESH_GRACE_MS)).toBe(false);
});

test('a repetition does not prolong the grace', () => {
  const { state } = refreshSession(session, 0, NOW);
  const repeated = refreshSession(state, 0, NOW + 9_000);
  expect(refreshSession(repeated.state, 0, NOW + 11_000).outcome).toBe('reused');
});

test('what is over stays over', () => {
  const revoked = revokeSession(session, NOW);
  expect(refreshSession(revoked, 0, NOW)).toEqual({ outcome: 'refused', state: revoked });
  expect(revokeSession(revoked, NOW + 5)).toBe(revoked);
  expect(refreshSession(session, 0, NOW + DAYS_30).outcome).toBe('refused');
  expect(sessionForgottenAt(revoked)).toBe(NOW + DAYS_30);
});

test('a number that was never handed out is refused and revokes nothing', () => {
  expect(refreshSession(session, 1, NOW)).toEqual({ outcome: 'refused', state: session });
});
