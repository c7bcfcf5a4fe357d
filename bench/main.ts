/** `npm run bench`: measures the service and the limit side by side (bench/README.md). */
import { writeFile } from 'node:fs/promises';
import { parseOptions } from './options.ts';
import { renderFigures } from './report/render-figures.ts';
import { runBench } from './run-bench.ts';

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

const options = parseOptions(process.argv);
const report = await runBench(options, (text) => print(`  ${text}`));
print('');
print(renderFigures(report.figures));
const { processor, processors, memoryGiB, system, node, loadBefore, othersShare } = report.machine;
print('');
print(
  `${processors} processors (${processor}), ${memoryGiB} GiB, ${system}, Node.js ${node}; load before ${loadBefore.toFixed(1)}, others used ${Math.round(othersShare * 100)} % of the processors; ${Math.round(report.tookSeconds)} s`,
);
for (const problem of report.problems) print(`✖ ${problem}`);
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
