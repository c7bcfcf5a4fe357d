/** A line of Prometheus' text format. */
export interface Series {
  /** Name and labels as they stand. */
  readonly text: string;
  readonly name: string;
  readonly value: number;
}

/** The series of a scrape, without their comments. */
export function parseSeries(scraped: string): Series[] {
  return scraped.split('\n').flatMap((line) => {
    if (line === '' || line.startsWith('#')) return [];
    const end = line.lastIndexOf(' ');
    const text = line.slice(0, end);
    return [{ text, name: text.split('{')[0] ?? text, value: Number(line.slice(end + 1)) }];
  });
}
