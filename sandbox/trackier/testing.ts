import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from '../kit/testing.ts';
import { startTrackier, type TrackierOptions } from './server.ts';

export const API_KEY = 'network-key';
export const KEY = { 'x-api-key': API_KEY };

/** A stand-in without a rate limit that repeats postbacks after milliseconds, stopped when the test is over. */
export async function startForTest(options: Partial<TrackierOptions> = {}) {
  const dir = temporaryDirectory();
  const plain = {
    dir,
    apiKey: API_KEY,
    publisherId: '7001',
    callsPerSecond: 0,
    retryBaseMs: 1,
    webhookToken: 'secret',
  };
  const server = await startTrackier({ ...plain, ...options });
  onTestFinished(() => server.close());
  return server;
}

/** A receiver of postbacks that answers one status after the other (the last one for ever) and keeps what came. */
export async function startReceiver(...statuses: number[]) {
  const received: { query: URLSearchParams; raw: string; ip: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const raw = request.url ?? '';
    const ip = request.headers['cf-connecting-ip'];
    received.push({ raw, query: new URL(raw, 'http://receiver').searchParams, ip: ip === undefined ? ip : String(ip) });
    response.statusCode = statuses[Math.min(received.length, statuses.length) - 1] ?? 200;
    response.end('{"status":"ok"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { webhookUrl: `http://127.0.0.1:${address.port}/v1/events/conversion`, received };
}
