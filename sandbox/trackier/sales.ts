import { type Clock, type Random, randomHex } from '../kit/time.ts';
import { publisherParameters } from './lists.ts';
import type { Campaign, Click, Conversion, PValues } from './model.ts';
import { payoutFor } from './payout.ts';
import type { Purchase } from './shop.ts';
import type { NetworkStore } from './store.ts';

/** Records what shoppers do: clicks, and the conversions they lead to. */
export class Sales {
  readonly #store: NetworkStore;
  readonly #publisherId: string;
  readonly #clock: Clock;
  readonly #random: Random;

  /** `publisherId` is whose a sale is that names no publisher. */
  constructor(store: NetworkStore, publisherId: string, clock: Clock, random: Random) {
    this.#store = store;
    this.#publisherId = publisherId;
    this.#clock = clock;
    this.#random = random;
  }

  /** `values` are the link's p1 to p10. */
  recordClick(campaign: Campaign, publisherId: string, values: PValues, country: string): Click {
    const click: Click = {
      click_id: randomHex(this.#random, 12),
      campaign_id: campaign.id,
      publisher_id: publisherId,
      country,
      created: this.#now(),
      ...values,
    };
    this.#store.saveClick(click);
    return click;
  }

  /** The purchase's click: by the network's id, or by our reference, in which case an unseen one is recorded. */
  clickOf(bought: Purchase): Click | string {
    if (bought.click_id !== null) return this.#store.click(bought.click_id) ?? 'no click of that click_id';
    if (bought.p1 === null || bought.campaign_id === undefined) return 'click_id, or p1 and campaign_id, is needed';
    const seen = this.#store.clickByReference(bought.p1, bought.campaign_id);
    const publisherId = bought.publisher_id ?? seen?.publisher_id ?? this.#publisherId;
    if (seen !== undefined && seen.publisher_id === publisherId) return seen;
    const campaign = this.#store.campaign(bought.campaign_id);
    if (campaign === undefined) return 'no campaign of that campaign_id';
    const values = publisherParameters(new URLSearchParams({ p1: bought.p1 }));
    return this.recordClick(campaign, publisherId, values, bought.country ?? 'IN');
  }

  /** The conversion that a purchase after `click` is. */
  convert(bought: Purchase, click: Click, campaign: Campaign): Conversion {
    const { click_id, campaign_id, publisher_id, created: _, country: clickCountry, ...values } = click;
    const country = bought.country ?? clickCountry;
    const created = bought.created === undefined ? this.#now() : new Date(bought.created).toISOString();
    const conversion: Conversion = {
      _id: randomHex(this.#random, 12),
      click_id,
      campaign_id,
      publisher_id,
      goal_id: bought.goal_id,
      txn_id: bought.txn_id,
      currency: bought.currency ?? campaign.currency ?? 'USD',
      payout: bought.payout ?? payoutFor(campaign, bought.sale_amount, bought.goal_id, country),
      sale_amount: bought.sale_amount,
      status: bought.status,
      country,
      created,
      modified: created,
      ...values,
    };
    this.#store.saveConversion(conversion);
    return conversion;
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString();
  }
}
