import { expect, test } from 'vitest';
import { accountIn } from './postgres-account.ts';

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin\nbroken:x\n';

test('the user that runs PostgreSQL for root is found without any program', () => {
  expect(accountIn(PASSWD, 'nobody')).toEqual({ uid: 65534, gid: 65533 });
  expect(accountIn(PASSWD, 'postgres')).toBeUndefined();
  expect(accountIn(PASSWD, 'broken')).toBeUndefined();
  expect(accountIn(PASSWD, 'body')).toBeUndefined();
});
