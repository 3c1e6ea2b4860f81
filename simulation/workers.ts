import type { RunReport } from '@hissaback/shared/contracts/schedules';
import { type Database, openDatabase } from '@hissaback/shared/db/client';
import type { Random } from '@hissaback/shared/domain/chance';
import type { FixedClock } from '@hissaback/shared/domain/chance.fake';
import { mintClickId } from '@hissaback/shared/domain/click-id';
import { encodeClickReference } from '@hissaback/shared/domain/click-reference';
import { keyringFrom } from '@hissaback/shared/domain/keyring';
import type { TestDatabase } from '../tests/support/postgres.ts';
import { oneAtATime } from '../workers/payout-cron/one-at-a-time.ts';
import { runSchedule as runPayoutSchedule } from '../workers/payout-cron/run-schedule.ts';
import { consumeClicks } from '../workers/webhook/clicks-queue.ts';
import { consumeDeadLetters } from '../workers/webhook/dead-letters-queue.ts';
import type { Deps as WebhookDeps } from '../workers/webhook/deps.ts';
import { consumePostbacks } from '../workers/webhook/postbacks-queue.ts';
import { runSchedule as runWebhookSchedule } from '../workers/webhook/schedules.ts';
import { takePostback } from '../workers/webhook/take-postback.ts';
import type { Amazon, Answer } from './amazon.ts';
import { MemoryBucket } from './bucket.ts';
import type { Dice } from './dice.ts';
import type { FaultyPostgres } from './faulty-postgres.ts';
import { Gate } from './gate.ts';
import { type DatabaseFault, Life, type Outcome } from './life.ts';
import type { Network } from './network.ts';
import type { ClickName } from './oracle/said.ts';
import type { Phones } from './phones.ts';
import type { AtLeastOnceQueue } from './queue.ts';

const KEY = 'A'.repeat(43);
const REFERENCE_KEYS = `1:${KEY}`;

export type WorkerSettings = {
  readonly feePoints: bigint;
  readonly releaseNeedsPoll: boolean;
  readonly csv: boolean;
  /** Postbacks are kept in R2 until they are in the books, and the queue may lose them. */
  readonly inbox: boolean;
  readonly unclaimedDays: number;
  readonly unclaimedTo: string;
  readonly payoutMinimum: string;
  readonly voucherMaximum: string;
  readonly voucherStep: string;
};
export type Surroundings = {
  readonly database: TestDatabase;
  readonly faults: FaultyPostgres;
  readonly clock: FixedClock;
  /** What the workers draw their ids from. */
  readonly random: Random;
  readonly dice: Dice;
  readonly network: Network;
  readonly amazon: Amazon;
  readonly phones: Phones;
  readonly postbacks: AtLeastOnceQueue;
  readonly clicks: AtLeastOnceQueue;
  readonly settings: WorkerSettings;
};

/** The real handlers of the webhook and payout workers, each invocation in a life of its own, with everything outside them simulated. */
export class Workers {
  readonly gate = new Gate();
  readonly evidence = new MemoryBucket();
  /** No worker dies and nothing fails while this is set. */
  isQuiet = false;
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** A click id of now and the reference that travels to the network. */
  async mintReference(
    click: Omit<ClickName, 'clickId'>,
    clickId?: bigint,
  ): Promise<{ name: ClickName; reference: string }> {
    const { clock, random } = this.#around;
    const name = { ...click, clickId: clickId ?? mintClickId(clock, random) };
    const ring = keyringFrom(REFERENCE_KEYS, 'REFERENCE_KEYS');
    return { name, reference: await encodeClickReference(ring, name) };
  }

  /** One postback over HTTP; the status of the answer, null if none came. */
  async postback(url: string): Promise<number | null> {
    const life = this.#newLife('intake');
    const outcome = await this.#live(life, async () => {
      try {
        return (await takePostback(new Request(url), this.#webhookEnv(life), this.#webhookDeps(life))).status;
      } catch (error) {
        return (error as { status?: number }).status ?? 500;
      }
    });
    return outcome.kind === 'done' ? outcome.value : null;
  }

  /** Delivers one batch of a queue to its consumer; false if nothing was due. */
  async consume(queue: AtLeastOnceQueue, limit: number): Promise<boolean> {
    const delivery = queue.deliver(limit);
    if (delivery === null) return false;
    const life = this.#newLife(queue.name);
    const env = this.#webhookEnv(life);
    const deps = this.#webhookDeps(life);
    const outcome = await this.#live(life, async () => {
      if (queue.name.endsWith('-dlq')) await consumeDeadLetters(delivery.batch, env, deps);
      else if (queue.name === 'hissaback-clicks') await consumeClicks(delivery.batch, env, deps);
      else await consumePostbacks(delivery.batch, env, deps);
      await life.step('its end');
    });
    delivery.settle(outcome.kind);
    return true;
  }

  /** Runs a schedule of the webhook worker. */
  async webhookSchedule(name: string): Promise<Outcome<RunReport>> {
    const life = this.#newLife(name);
    return this.#live(life, () => runWebhookSchedule(name, this.#webhookEnv(life), this.#webhookDeps(life)));
  }

  /** Runs a schedule of the payout worker. */
  async payoutSchedule(name: string): Promise<Outcome<RunReport>> {
    const { database, clock, random } = this.#around;
    const life = this.#newLife(name);
    return this.#live(life, async () => {
      const db: Database = oneAtATime(openDatabase({ connectionString: database.payout }, { random, sleep: noSleep }));
      try {
        return await runPayoutSchedule(
          {
            db,
            settings: this.#payoutSettings(),
            gate: this.gate.for(life),
            evidence: {
              put: (key, value) => this.#effect(life, 'R2 put', () => this.evidence.put(key, value, true)),
              get: (key) => life.effect('R2 get', () => this.evidence.get(key)),
              list: (options) => life.effect('R2 list', () => this.evidence.list(options)),
            },
            clock,
            random,
            fetch: (input, init) => this.#partner(life, new URL(input), init),
            sleep: async (milliseconds) => clock.advance(milliseconds),
          },
          name,
        );
      } finally {
        await db.end();
      }
    });
  }

  #newLife(name: string): Life {
    const { dice, clock } = this.#around;
    clock.advance(1);
    const isUnlucky = !this.isQuiet;
    // Most lives are short; a poll or a run of many payouts has hundreds of steps.
    const dieAt = isUnlucky && dice.chance(0.08) ? dice.between(1, dice.pick([30, 70, 300, 1_000])) : null;
    const kind = dice.pick([
      'lost',
      'lost_at_commit',
      'lost_at_commit',
      'lost_before_commit',
      '40001',
      '40P01',
    ] as const);
    const fault: DatabaseFault | null =
      isUnlucky && dice.chance(0.1) ? { at: dice.between(1, dice.pick([8, 16, 60, 300])), kind } : null;
    return new Life(name, dieAt, fault);
  }

  async #live<T>(life: Life, work: () => Promise<T>): Promise<Outcome<T>> {
    const { faults } = this.#around;
    faults.life = life;
    try {
      const outcome = await life.run(work);
      if (faults.thrown !== undefined) throw faults.thrown;
      return outcome;
    } finally {
      faults.life = null;
    }
  }

  /** An effect that fails now and then, before or after it took place. */
  #effect<T>(life: Life, label: string, act: () => T): Promise<T> {
    return life.effect(label, () => {
      const { dice } = this.#around;
      const roll = this.isQuiet ? 100 : dice.between(0, 99);
      if (roll === 0) throw new Error(`${label} failed`);
      const result = act();
      if (roll === 1) throw new Error(`${label} was not answered`);
      return result;
    });
  }

  #webhookDeps(life: Life): WebhookDeps {
    const { clock, random, network } = this.#around;
    const answer = (url: URL): Response =>
      url.host === 'pager.example' ? new Response('{}', { status: 202 }) : network.answer(url, clock.now());
    return {
      clock,
      random,
      fetch: (input: RequestInfo | URL) => life.effect('network', () => answer(new URL(String(input)))),
      sleep: async (milliseconds: number) => clock.advance(milliseconds),
    } as WebhookDeps;
  }

  #webhookEnv(life: Life): WebhookEnv {
    const { database, postbacks, settings, dice } = this.#around;
    const env = {
      DB: { connectionString: database.webhook },
      EVIDENCE: {
        put: (key: string, value: string) => this.#effect(life, 'R2 put', () => this.evidence.put(key, value, false)),
        get: (key: string) => life.effect('R2 get', () => this.evidence.get(key)),
        head: (key: string) => life.effect('R2 head', () => this.evidence.head(key)),
        list: (options: { prefix: string; limit?: number; cursor?: string }) =>
          life.effect('R2 list', () => this.evidence.list(options)),
        delete: (keys: string | string[]) => this.#effect(life, 'R2 delete', () => this.evidence.delete(keys)),
      },
      POSTBACKS: {
        send: (body: unknown) => this.#effect(life, 'queue send', () => postbacks.put(body)),
        sendBatch: (messages: { body: unknown }[]) =>
          this.#effect(life, 'queue send', () => {
            for (const { body } of messages) postbacks.put(body);
          }),
      },
      VELOCITY: {
        idFromName: (name: string) => name,
        get: () => ({
          record: async (events: readonly unknown[]) => {
            if (!this.isQuiet && dice.chance(0.1)) throw new Error('no answer');
            return events.map(() => 1);
          },
        }),
      },
      TRACKIER_ENDPOINT: 'https://network.example',
      TRACKIER_CSV_URL: settings.csv ? 'https://network.example/daily.csv' : '',
      TRACKIER_ALLOWLIST: '0.0.0.0/0,::/0',
      PAGER_ENDPOINT: 'https://pager.example',
      ATTRIBUTION_WINDOW_DAYS: '90',
      RECONCILE_WINDOW_DAYS: '90',
      PLATFORM_FEE_BP: String(settings.feePoints),
      CREDIT_CURRENCY: 'INR',
      UNCLAIMED_DAYS: String(settings.unclaimedDays),
      UNCLAIMED_TO: settings.unclaimedTo,
      POSTBACK_INBOX: settings.inbox ? 'on' : 'off',
      WEBHOOK_TOKENS: 'token',
      REFERENCE_KEYS,
      TRACKIER_API_KEY: 'key',
      PAGER_ROUTING_KEY: 'key',
    };
    return env as unknown as WebhookEnv;
  }

  #payoutSettings(): Parameters<typeof runPayoutSchedule>[0]['settings'] {
    const { settings } = this.#around;
    return {
      AGCOD_ENDPOINT: 'https://amazon.example',
      AGCOD_REGION: 'eu-west-1',
      AGCOD_CURRENCY: 'INR',
      AGCOD_PARTNER_ID: 'Hissa',
      AGCOD_ACCESS_KEY_ID: 'AKIASIMULATION',
      AGCOD_SECRET_ACCESS_KEY: 'simulation',
      SMS_ENDPOINT: 'https://sms.example',
      SMS_SENDER: 'HISSBK',
      SMS_AUTH_KEY: 'key',
      DLT_ENTITY_ID: '1',
      DLT_TEMPLATE_VOUCHER: 'voucher',
      DLT_TEMPLATE_VOUCHER_HI: '',
      PAGER_ENDPOINT: 'https://pager.example',
      PAGER_ROUTING_KEY: 'key',
      PAYOUT_MINIMUM: settings.payoutMinimum,
      VOUCHER_MAXIMUM: settings.voucherMaximum,
      VOUCHER_MINIMUM: settings.voucherStep,
      VOUCHER_STEP: settings.voucherStep,
      PAYOUT_RUN_SECONDS: '25',
      AGCOD_PROBE_SECONDS: '300',
      FUNDS_ALERT_BELOW: '10000.00',
      RELEASE_REQUIRES_POLL: String(settings.releaseNeedsPoll),
      KYC_YEARLY_LIMIT: '',
      CREATOR_PAYOUT_MINIMUM: '500.00',
      CREATOR_KYC_YEARLY_LIMIT: '',
      CREATOR_PAYOUT_DAY: 'never',
      NOTIFICATIONS: 'off',
      NOTIFICATION_HOURS: '9-21',
      DLT_TEMPLATE_TRACKED: '',
      DLT_TEMPLATE_TRACKED_HI: '',
      DLT_TEMPLATE_CONFIRMED: '',
      DLT_TEMPLATE_CONFIRMED_HI: '',
      DLT_TEMPLATE_PAID: '',
      DLT_TEMPLATE_PAID_HI: '',
      DLT_TEMPLATE_REVERSED: '',
      DLT_TEMPLATE_REVERSED_HI: '',
      VOUCHER_KEYS: `1:${KEY}`,
    };
  }

  #partner(life: Life, url: URL, init: RequestInit): Promise<Response> {
    const { amazon, phones, clock } = this.#around;
    const body = String(init.body);
    return life.effect(url.host, () => {
      let answer: Answer = { status: 202, text: '{}' };
      if (url.host === 'amazon.example') answer = amazon.answer(url.pathname.slice(1), body, clock.now());
      else if (url.host === 'sms.example') answer = phones.answer(body);
      if (answer === 'silence') throw new TypeError('fetch failed');
      const { status, text } = answer;
      // No stream, so that the order of everything that waits at once stays the same.
      return { status, ok: status < 300, text: async () => text } as Response;
    });
  }
}

async function noSleep(): Promise<void> {}
