import { payout } from '../../../workers/payout-cron/payout.ts';
import { Stage } from '../../../workers/payout-cron/stage.fake.ts';
import { startTestServer } from '../../support/postgres.ts';

const MINUTE = 60_000;

/**
 * Lets so many due payouts drain in simulated time, a run a minute at AGCOD's own pace, and answers what went wrong.
 *
 * @param log told how far it is
 */
export async function drain(payees: number, log: (line: string) => void): Promise<string[]> {
  const server = await startTestServer();
  const stage = await Stage.open(server, { callsPerSecond: 10 });
  try {
    await stage.manyRewards(await stage.tenant(), payees, '150.00');
    const begun = stage.clock.now();
    let paid = 0;
    // Ten times what the pace allows, then it hangs.
    for (let run = 1; paid < payees && run <= payees / 20 + 10; run++) {
      const started = stage.clock.now();
      paid += (await stage.run(payout)).paid;
      stage.clock.set(Math.max(stage.clock.now(), started + MINUTE));
      log(
        `run ${run}: ${paid} of ${payees} paid after ${Math.round((stage.clock.now() - begun) / MINUTE)} simulated minutes`,
      );
    }
    const wrong = await stage.broken();
    const cards = (await stage.cards()).length;
    if (paid !== payees || cards !== payees) wrong.push(`${paid} paid and ${cards} cards for ${payees} payees`);
    return wrong;
  } finally {
    await stage.close();
    await server.stop();
  }
}
