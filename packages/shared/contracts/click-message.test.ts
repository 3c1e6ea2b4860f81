import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClickMessage, parseClickMessage } from './click-message.ts';

const CLICK: ClickMessage = {
  click_id: '368547758081234567',
  link_id: '11111111-1111-4111-8111-111111111111',
  tenant_id: '22222222-2222-4222-8222-222222222222',
  visitor_id: '33333333-3333-4333-8333-333333333333',
  country: 'IN',
  device: 'mobile',
  referrer_host: 'blog.example',
  sub_id: 'insta-bio 🎁',
  source: 'edge',
};

describe('a click message', () => {
  it('is read back as it was sent', () => {
    expect(parseClickMessage(structuredClone(CLICK))).toEqual(CLICK);
  });

  it('may lack what is not known, and hold what this version does not know', () => {
    const { click_id, link_id, tenant_id, device, source } = CLICK;
    expect(parseClickMessage({ click_id, link_id, tenant_id, device, source, later: 1 })).toEqual({
      ...CLICK,
      visitor_id: null,
      country: null,
      referrer_host: null,
      sub_id: null,
    });
  });

  it.each([
    ['click_id', 5],
    ['click_id', '0'],
    ['click_id', '9223372036854775808'],
    ['link_id', 'x'],
    ['tenant_id', undefined],
    ['visitor_id', ''],
    ['country', 'india'],
    ['country', 'XX'],
    ['device', 'toaster'],
    ['referrer_host', 'x'.repeat(254)],
    ['sub_id', 'a\nb'],
    ['sub_id', ''],
    ['sub_id', 'x'.repeat(65)],
    ['sub_id', 'a\u0000b'],
    ['source', 'elsewhere'],
  ])('with %s = %j is none', (name, value) => {
    expect(parseClickMessage({ ...CLICK, [name]: value })).toBeNull();
  });

  it('is never a throw on junk (property)', () => {
    fc.assert(fc.property(fc.anything(), (junk) => parseClickMessage(junk) === null));
  });
});
