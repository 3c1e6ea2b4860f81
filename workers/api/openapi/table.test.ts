import { expect, test } from 'vitest';
import { described, registered } from './app.fake.ts';
import { isApiPath } from './described-route.ts';
import { apiTable } from './table.ts';

test('docs/api.md is what the routes say of themselves (npm run api:docs writes it anew)', async () => {
  const pages = registered.filter(({ path }) => !isApiPath(path));
  await expect(apiTable(described, pages)).toMatchFileSnapshot('../../../docs/api.md');
});
