import type { Pair } from '../report/figure.ts';
import type { Subject } from '../subjects/subject.ts';
import { type Bench, defineScenario } from './scenario.ts';

/** Phones that register at the same time, each after the one before it was told that it is registered. */
const AT_ONCE = 64;

/** How many phones can register. */
export const registrations = defineScenario({
  name: 'registrations',
  ofAnyService: true,
  about: `registrations a second, ${AT_ONCE} at a time`,
  figures: { 'registrations.sqlite': { title: 'registrations a second', unit: '1/s' } },
  prepare: async (bench) => {
    const [limit, service] = await Promise.all([bench.limit(), bench.service()]);
    return async () => {
      const rounds: Pair[] = [];
      for (let round = 1; round <= bench.extent.rounds; round += 1) {
        const baseline = await perSecond(bench, limit);
        rounds.push({ value: await perSecond(bench, service), baseline });
      }
      return { 'registrations.sqlite': rounds };
    };
  },
});

async function perSecond({ tools, extent, say }: Bench, subject: Subject): Promise<number> {
  const [origin = ''] = subject.origins;
  const count = extent.registrations;
  const ms = await tools.pbxs.ask('register', { accounts: tools.accounts, count, atOnce: AT_ONCE, origin });
  const rate = (count * 1_000) / ms;
  say(`${subject.name}: ${Math.round(rate)} registrations/s`);
  return rate;
}
