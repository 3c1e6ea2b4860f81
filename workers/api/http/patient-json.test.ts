import { describe, expect, it } from 'vitest';
import { patientJson } from './patient-json.ts';

const soon = { headMs: 20, signMs: 5 };
const after = <T>(ms: number, value: T): Promise<T> => new Promise((resolve) => setTimeout(() => resolve(value), ms));

describe('the answer of long work', () => {
  it('is plain JSON when it comes in time, and a refusal keeps its own status', async () => {
    const answer = await patientJson(Promise.resolve({ rows: 2 }), soon);
    expect(await answer.text()).toBe('{"rows":2}');
    const refused = Promise.reject(new Error('no such file'));
    await expect(patientJson(refused, soon)).rejects.toThrow('no such file');
  });

  it('begins with blank lines when it takes long, and is the same JSON', async () => {
    const answer = await patientJson(after(60, { rows: 2 }), soon);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('content-encoding')).toBe('identity');
    const text = await answer.text();
    expect(text).toMatch(/^\n{2,}\{"rows":2\}$/);
    expect(JSON.parse(text)).toEqual({ rows: 2 });
  });

  it('breaks off when the work fails after the head has gone out', async () => {
    const failing = after(60, null).then(() => {
      throw new Error('the import broke off');
    });
    const answer = await patientJson(failing, soon);
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow('the import broke off');
  });

  it('gives no more signs to a client that has left', async () => {
    const work = after(80, { rows: 2 });
    const answer = await patientJson(work, soon);
    await answer.body?.cancel();
    expect(await work).toEqual({ rows: 2 });
  });
});
