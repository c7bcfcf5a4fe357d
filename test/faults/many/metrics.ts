/** The numbers that an instance tells Prometheus, by series as it is written: `name{label="value"}`. */
export interface Metrics {
  /** One series; 0 where it is absent. */
  value(series: string): number;
  /** All series of a name together. */
  sum(name: string): number;
  /** The series of a name by the value of a label. */
  by(name: string, label: string): ReadonlyMap<string, number>;
}

/** Reads Prometheus' text format. */
export function readMetrics(text: string): Metrics {
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    const end = line.lastIndexOf(' ');
    if (end > 0 && !line.startsWith('#')) series.set(line.slice(0, end), Number(line.slice(end + 1)));
  }
  const of = (name: string) => [...series].filter(([key]) => key === name || key.startsWith(`${name}{`));
  return {
    value: (key) => series.get(key) ?? 0,
    sum: (name) => of(name).reduce((total, [, value]) => total + value, 0),
    by: (name, label) => {
      const values = new Map<string, number>();
      for (const [key, value] of of(name)) {
        const found = new RegExp(`[{,]${label}="([^"]*)"`).exec(key)?.[1];
        if (found !== undefined) values.set(found, (values.get(found) ?? 0) + value);
      }
      return values;
    },
  };
}
