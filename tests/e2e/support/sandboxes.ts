import type { StackFile } from '../../../scripts/stack/stack-file.ts';
import { type Answer, ask } from './http.ts';

/** What a purchase at the network's shop may say; see sandbox/README.md. Amounts are decimal text. */
export type Purchase = {
  p1: string;
  campaign_id: number;
  sale_amount: string;
  txn_id?: string | null;
  [further: string]: unknown;
};

/** A conversion as the network keeps it. */
export type NetworkConversion = { _id: string; txn_id: string | null; status: string; payout: string };
export type Card = { creationRequestId: string; gcId: string; claimCode: string; amount: string; status: string };
export type Message = { to: string; text: string; at: string; kind: string };

/** The outside world: what happens there, and what goes wrong there. */
export type Sandboxes = {
  /** Buys; answers the network's conversion and what our webhook said to the first try of each postback. */
  buy(
    purchase: Purchase,
  ): Promise<{ conversion: NetworkConversion; answers: { status: number | null; answer: string | null }[] }>;
  /** Changes a conversion at the network, which sends no postback unless `postback` is true. */
  changeConversion(id: string, change: Record<string, unknown>): Promise<void>;
  /** Makes AGCOD or the SMS gateway misbehave. */
  agcodFault(fault: Record<string, unknown>): Promise<void>;
  smsFault(fault: Record<string, unknown>): Promise<void>;
  agcodFaultsLeft(): Promise<number>;
  cards(creationRequestId?: string): Promise<Card[]>;
  /** Creating calls for one id. */
  calls(creationRequestId: string): Promise<number>;
  messages(phone: string): Promise<Message[]>;
  /** Sets the TXT records of a name; none: it has no records any more. */
  txt(name: string, values: string[]): Promise<void>;
};

export function openSandboxes({ sandbox }: StackFile): Sandboxes {
  const { agcod, trackier, sms, dns } = sandbox;
  const get = async (url: string) => well(await ask('GET', url));
  const post = async (url: string, json: unknown) => well(await ask('POST', url, { json }));
  return {
    async buy(purchase) {
      const { json } = await post(`${trackier}/buy`, purchase);
      const answers = json.postbacks.map(({ attempts }: { attempts: unknown[] }) => attempts[0]);
      return { conversion: json.conversion, answers };
    },
    async changeConversion(id, change) {
      await post(`${trackier}/__control/conversions/${id}`, change);
    },
    async agcodFault(fault) {
      await post(`${agcod}/__control/faults`, { op: 'CreateGiftCard', ...fault });
    },
    async smsFault(fault) {
      await post(`${sms}/__control/faults`, fault);
    },
    async agcodFaultsLeft() {
      return (await get(`${agcod}/__control/faults`)).json.faults.length;
    },
    async cards(creationRequestId) {
      const query = creationRequestId === undefined ? '' : `?creationRequestId=${creationRequestId}`;
      return (await get(`${agcod}/__control/cards${query}`)).json.cards;
    },
    async calls(creationRequestId) {
      const { calls } = (await get(`${agcod}/__control/calls`)).json as { calls: { creationRequestId: string }[] };
      return calls.filter((call) => call.creationRequestId === creationRequestId).length;
    },
    async messages(phone) {
      return (await get(`${sms}/messages?to=${encodeURIComponent(phone)}`)).json;
    },
    async txt(name, values) {
      await post(`${dns}/__control/records`, { name, type: 'TXT', values });
    },
  };
}

function well(answer: Answer): Answer {
  if (answer.status !== 200) throw new Error(`a sandbox answered ${answer.status}: ${answer.text}`);
  return answer;
}
