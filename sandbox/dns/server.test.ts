import { expect, onTestFinished, test } from 'vitest';
import { get, post, temporaryDirectory } from '../kit/testing.ts';
import { startDns } from './server.ts';

const JSON_WANTED = { accept: 'application/dns-json' };

async function startForTest(dir = temporaryDirectory()) {
  const server = await startDns({ dir });
  onTestFinished(() => server.close());
  const ask = (name: string, type = 'TXT') =>
    get(`${server.url}/dns-query?name=${encodeURIComponent(name)}&type=${type}`, JSON_WANTED);
  const set = (record: object) => post(`${server.url}/__control/records`, record);
  return { ...server, ask, set };
}

test('a record that was set is answered as resolvers write it, whatever the case and the last dot', async () => {
  const { ask, set } = await startForTest();
  expect((await set({ name: '_Hissaback.Go.Example', values: ['v=1', 'a "b" \\c'] })).status).toBe(200);
  expect(await ask('_hissaback.go.EXAMPLE.')).toMatchObject({
    status: 200,
    body: {
      ...{ Status: 0, TC: false, Question: [{ name: '_hissaback.go.example', type: 16 }] },
      Answer: [
        { name: '_hissaback.go.example', type: 16, TTL: 300, data: '"v=1"' },
        { type: 16, data: '"a \\"b\\" \\\\c"' },
      ],
    },
  });
  expect((await ask('_hissaback.go.example', '16')).body.Answer).toHaveLength(2);
});

test('a long text comes in pieces of 255', async () => {
  const { ask, set } = await startForTest();
  await set({ name: 'long.example', values: ['x'.repeat(300)] });
  expect((await ask('long.example')).body.Answer[0].data).toBe(`"${'x'.repeat(255)}" "${'x'.repeat(45)}"`);
});

test('an unknown name is 3, one with other records or with names below it has none', async () => {
  const { ask, set } = await startForTest();
  await set({ name: '_hissaback.go.example', values: ['v'] });
  expect((await ask('other.example')).body).toMatchObject({ Status: 3 });
  for (const [name, type] of [['go.example'], ['_hissaback.go.example', 'A'], ['_hissaback.go.example', '257']]) {
    const { body } = await ask(name ?? '', type);
    expect(body.Status).toBe(0);
    expect(body).not.toHaveProperty('Answer');
  }
});

test('an alias is followed and told, a ring of aliases is 2', async () => {
  const { ask, set } = await startForTest();
  await set({ name: 'a.example', type: 'CNAME', values: ['b.example'] });
  await set({ name: 'b.example', type: 'A', values: ['192.0.2.1'] });
  expect((await ask('a.example', 'A')).body.Answer).toMatchObject([
    { type: 5, data: 'b.example' },
    { type: 1, data: '192.0.2.1' },
  ]);
  await set({ name: 'b.example', type: 'CNAME', values: ['a.example'] });
  expect((await ask('a.example', 'TXT')).body.Status).toBe(2);
});

test('records are replaced, taken away by setting none, and outlive the process', async () => {
  const dir = temporaryDirectory();
  const { url, close } = await startDns({ dir });
  const set = (name: string, values: string[]) => post(`${url}/__control/records`, { name, values });
  await set('a.example', ['one']);
  await set('a.example', ['two']);
  await set('b.example', ['three']);
  await set('b.example', []);
  await close();
  const again = await startForTest(dir);
  expect((await again.ask('a.example')).body.Answer).toMatchObject([{ data: '"two"' }]);
  expect((await again.ask('b.example')).body.Status).toBe(3);
});

test('it is no kinder than the real ones: another format, no name and no type are 400', async () => {
  const { url, ask, set } = await startForTest();
  expect((await get(`${url}/dns-query?name=a.example`)).status).toBe(400);
  expect((await ask('not a name')).status).toBe(400);
  expect((await ask('a.example', 'XYZ')).status).toBe(400);
  for (const record of [{}, { name: 'a..b', values: [] }, { name: 'a.example', type: 'MX', values: ['x'] }]) {
    expect((await set(record)).status).toBe(400);
  }
});

test('faults strike, and only the name they are for', async () => {
  const { url, ask } = await startForTest();
  for (const kind of ['servfail', 'http-500']) await post(`${url}/__control/faults`, { kind, name: 'A.example' });
  expect((await ask('b.example')).body.Status).toBe(3);
  expect((await ask('a.example')).body.Status).toBe(2);
  const response = await fetch(`${url}/dns-query?name=a.example&type=A`, { headers: JSON_WANTED });
  expect(response.status).toBe(500);
  await post(`${url}/__control/faults`, { kind: 'drop-before' });
  await expect(ask('a.example')).rejects.toThrow();
  expect((await ask('a.example')).body.Status).toBe(3);
});
