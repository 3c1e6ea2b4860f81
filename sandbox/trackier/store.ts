import { BoundedMap } from '../kit/bounded.ts';
import { type Journal, openJournal } from '../kit/journal.ts';
import type { Campaign, Click, Conversion, Postback } from './model.ts';
import { SEED_CAMPAIGNS } from './seed.ts';

type Entry =
  | { type: 'campaign'; value: Campaign }
  | { type: 'campaign-removed'; id: number }
  | { type: 'click'; value: Click }
  | { type: 'conversion'; value: Conversion }
  | { type: 'postback'; value: Postback }
  | { type: 'reset' };

const MAX_CAMPAIGNS = 10_000;
const MAX_CLICKS = 200_000;
const MAX_CONVERSIONS = 500_000;
const MAX_POSTBACKS = 50_000;

/** The network's campaigns, clicks, conversions and postbacks; the last entry about a thing is its state. */
export class NetworkStore {
  readonly #journal: Journal<Entry>;
  readonly #campaigns = new Map<number, Campaign>();
  readonly #clicks = new BoundedMap<Click>(MAX_CLICKS);
  readonly #clicksByReference = new BoundedMap<string>(MAX_CLICKS);
  readonly #conversions = new BoundedMap<Conversion>(MAX_CONVERSIONS);
  readonly #postbacks = new BoundedMap<Postback>(MAX_POSTBACKS);

  constructor(path: string) {
    this.#seed();
    this.#journal = openJournal<Entry>(path);
    for (const entry of this.#journal.entries) this.#apply(entry);
    // Each start leaves one entry for each thing, so that the file does not grow with every change ever made.
    if (this.#journal.entries.length > 0) this.#journal.rewrite(this.#state());
  }

  campaign(id: number): Campaign | undefined {
    return this.#campaigns.get(id);
  }

  campaigns(): Campaign[] {
    return [...this.#campaigns.values()].sort((a, b) => a.id - b.id);
  }

  saveCampaign(value: Campaign): boolean {
    if (this.#campaigns.size >= MAX_CAMPAIGNS && !this.#campaigns.has(value.id)) return false;
    this.#record({ type: 'campaign', value });
    return true;
  }

  removeCampaign(id: number): void {
    this.#record({ type: 'campaign-removed', id });
  }

  click(id: string): Click | undefined {
    return this.#clicks.get(id);
  }

  /** The latest click that carried `p1` to the campaign. */
  clickByReference(p1: string, campaignId: number): Click | undefined {
    return this.#clicks.get(this.#clicksByReference.get(`${campaignId} ${p1}`) ?? '');
  }

  saveClick(value: Click): void {
    this.#record({ type: 'click', value });
  }

  conversion(id: string): Conversion | undefined {
    return this.#conversions.get(id);
  }

  /** Newest first, so that pages shift while conversions come in, as the network's do. */
  conversions(): Conversion[] {
    return this.#conversions.values().sort((a, b) => compare(b.created, a.created) || compare(b._id, a._id));
  }

  saveConversion(value: Conversion): void {
    this.#record({ type: 'conversion', value });
  }

  postbacks(): Postback[] {
    return this.#postbacks.values();
  }

  savePostback(value: Postback): void {
    this.#record({ type: 'postback', value });
  }

  reset(): void {
    this.#record({ type: 'reset' });
  }

  close(): void {
    this.#journal.close();
  }

  #record(entry: Entry): void {
    this.#journal.append(entry);
    this.#apply(entry);
  }

  #apply(entry: Entry): void {
    switch (entry.type) {
      case 'campaign':
        this.#campaigns.set(entry.value.id, entry.value);
        break;
      case 'campaign-removed':
        this.#campaigns.delete(entry.id);
        break;
      case 'click':
        this.#clicks.set(entry.value.click_id, entry.value);
        this.#clicksByReference.set(`${entry.value.campaign_id} ${entry.value.p1}`, entry.value.click_id);
        break;
      case 'conversion':
        this.#conversions.set(entry.value._id, entry.value);
        break;
      case 'postback':
        this.#postbacks.set(entry.value.id, entry.value);
        break;
      case 'reset':
        this.#seed();
        this.#clicks.clear();
        this.#clicksByReference.clear();
        this.#conversions.clear();
        this.#postbacks.clear();
    }
  }

  #seed(): void {
    this.#campaigns.clear();
    for (const campaign of SEED_CAMPAIGNS) this.#campaigns.set(campaign.id, campaign);
  }

  *#state(): Generator<Entry> {
    for (const { id } of SEED_CAMPAIGNS) if (!this.#campaigns.has(id)) yield { type: 'campaign-removed', id };
    for (const value of this.#campaigns.values())
      if (!SEED_CAMPAIGNS.includes(value)) yield { type: 'campaign', value };
    for (const value of this.#clicks.values()) yield { type: 'click', value };
    for (const value of this.#conversions.values()) yield { type: 'conversion', value };
    for (const value of this.#postbacks.values()) yield { type: 'postback', value };
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
